"""Which declared paths cannot stand together: two writers of one path, one output inside another, a stage that reads
what it writes. Pure; used for one pipeline when a stage is registered, and for all pipelines of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from pivot.errors import PipelineError
from pivot.pipeline.source_location import SourceLine, known_line
from pivot.pipeline.spec import StageSpec

PathKeyFunction = Callable[[str], str]


class Claim(Struct, frozen=True):
    """One path that a stage declares, as the user reads it, and where."""

    stage: str
    path: str
    where: SourceLine


class Claims(Struct, frozen=True):
    """All output paths so far. `key` says when two spellings are one path."""

    key: PathKeyFunction
    by_path: dict[str, Claim] = field(default_factory=dict)
    below: dict[str, Claim] = field(default_factory=dict)

    def add(self, claim: Claim) -> PipelineError | None:
        """Take a path; the error says who has it, or a path above or below it, already."""
        wanted = self.key(claim.path)
        parents = list(_parents(wanted))
        other = self.by_path.get(wanted) or self.below.get(wanted)
        other = other or next((self.by_path[above] for above in parents if above in self.by_path), None)
        if other:
            return _collision(claim, other, same=self.key(other.path) == wanted)
        self.by_path[wanted] = claim
        for above in parents:
            self.below.setdefault(above, claim)
        return None


def check_outputs(specs: Iterable[StageSpec], key: PathKeyFunction) -> list[PipelineError]:
    """Every output of these stages against all others."""
    claims = Claims(key)
    found = (claims.add(claim) for spec in specs for claim in output_claims(spec))
    return [error for error in found if error]


def check_own_inputs(spec: StageSpec, key: PathKeyFunction) -> list[PipelineError]:
    """Deps of a stage that are, contain or lie inside one of its own outputs."""
    outs = output_claims(spec)
    deps = [
        Claim(spec.name, path, known_line(dep.where)) for dep in spec.deps if dep.kind == "dep" for path in dep.paths
    ]
    return self_reads(deps, outs, key)


def self_reads(deps: Iterable[Claim], outs: Iterable[Claim], key: PathKeyFunction) -> list[PipelineError]:
    written = [(key(out.path), out) for out in outs]
    pairs = ((dep, out) for dep in deps for path, out in written if _touch(key(dep.path), path))
    return [
        PipelineError(
            f"stage `{dep.stage}` reads {dep.path} and writes {out.path}: a stage cannot read its own output",
            where=dep.where.text,
            hint=f"The output is declared at {out.where.text}. Write another path, or use IncrementalOut for both.",
        )
        for dep, out in pairs
    ]


def check_specs(specs: list[StageSpec], key: PathKeyFunction) -> list[PipelineError]:
    """All that paths alone can say about stages that stand together in one repository."""
    own = [error for spec in specs for error in check_own_inputs(spec, key)]
    return [*check_outputs(specs, key), *own]


def output_claims(spec: StageSpec) -> list[Claim]:
    return [Claim(spec.name, path, known_line(out.where)) for out in spec.outs for path in out.paths]


def _collision(new: Claim, old: Claim, *, same: bool) -> PipelineError:
    if same and new.stage == old.stage:
        what = f"stage `{new.stage}` declares {new.path} twice"
    elif same:
        what = f"stages `{old.stage}` and `{new.stage}` both write {new.path}"
    else:
        what = f"outputs overlap: {new.path} of stage `{new.stage}` and {old.path} of stage `{old.stage}`"
    return PipelineError(
        what, where=new.where.text, hint=f"The other is declared at {old.where.text}. Give one another path."
    )


def _touch(left: str, right: str) -> bool:
    return left == right or left.startswith(right + "/") or right.startswith(left + "/")


def _parents(path: str) -> Iterable[str]:
    above = path.rpartition("/")[0]
    while above:
        yield above
        above = above.rpartition("/")[0]
