"""The note on HEAD: for each stage its result, or that it is stale, or that this cannot be told from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pivot.code.importing.project_files import OUTSIDE
from pivot.git.plumbing.index import converted, differences, is_as_committed, tracked
from pivot.pipeline.params_file import NAMES
from pivot.plan.decision import Action, Decision, Plan
from pivot.plan.planner import Planner
from pivot.project import Project
from pivot.state.notes import NoteLine, Notes


def note_head(project: Project, planner: Planner) -> bool:
    """Write what is true of the commit that is checked out; False without a commit, or where the note says so already.

    A stage whose inputs differ between commit and work tree, or are hidden from Git, is noted as unknown: what was
    found out here says nothing about the commit.
    """
    commit = project.backend.resolve("HEAD")
    tree = project.backend.tree_of("HEAD") if commit else None
    if commit is None or tree is None:
        return False
    plan = planner.plan(planner.graph.order)
    paths = _there(project, input_paths(planner))
    differing = differences(project.location, paths)
    unknown = unknown_stages(planner, set(differing))
    # A pipeline file that nobody has committed: its stages are none of the commit's.
    own = [name for name in planner.graph.order if differing.get(planner.stages[name].spec.file) != "untracked"]
    # Git calls these files clean, and a clone with other settings has other bytes: a result of them says nothing of
    # the commit, and must not stand in its note next to the right one.
    mixed = unknown_stages(planner, set(converted_inputs(project, planner)))
    lines = [_line(plan.decisions[name], tree[:12], unknown=name in unknown | mixed) for name in own]
    notes = Notes(project.backend)
    known = notes.read(commit)
    kept = known.keys() - mixed
    lines = [line for line in lines if line.state != "unknown" or not _is_complete(known) or line.stage in kept]
    gone = _passing(project, set(own), known)
    if not gone and not notes.void(commit) and {line for group in known.values() for line in group}.issuperset(lines):
        return False
    notes.write({commit: lines}, f"{commit[:12]}: {len(lines)} stages", project.author, without=gone)
    return True


def converted_inputs(project: Project, planner: Planner) -> dict[str, str]:
    """Inputs that are data and hold files whose line endings Git has converted, each with one such file."""
    deps = {path for stage in planner.stages.values() for path in stage.spec.dep_paths()}
    raw = sorted(path.rstrip("/") for path in deps if not planner.producers.of(path))
    files = converted(project.location, raw) if raw else []
    found = {path: [file for file in files if f"{file}/".startswith(f"{path}/")] for path in raw if files}
    return {path: held[0] for path, held in found.items() if held}


def conversion_notices(project: Project, planner: Planner) -> Iterator[str]:
    """What to do about inputs for which nothing is noted."""
    for file in sorted(set(converted_inputs(project, planner).values())):
        yield (
            f"{file} has other line endings here than in the commit, so its results are not noted. "
            f"Add `{file.rpartition('/')[2]} -text` to .gitattributes, and check the file out again."
        )


def is_noted(project: Project, plan: Plan) -> bool:
    """Whether the note on HEAD has these results and no others, so that `note_head` would change nothing."""
    commit = project.backend.resolve("HEAD")
    noted = Notes(project.backend).read(commit) if commit else {}
    known = {(name, line.fingerprint, line.result) for name, lines in noted.items() for line in lines}
    records = {name: one.record for name, one in plan.decisions.items()}
    held = {(name, one.fingerprint, one.result) if one else (name, None, None) for name, one in records.items()}
    return commit is None or (held <= known and noted.keys() <= plan.decisions.keys())


def _is_complete(known: Mapping[str, tuple[NoteLine, ...]]) -> bool:
    """Whether a note tells of a look at the commit itself: a stage that it does not have is none of the commit's."""
    return bool(known) and all(group[0].state != "unknown" for group in known.values())


def _passing(project: Project, own: set[str], known: Mapping[str, tuple[NoteLine, ...]]) -> list[str]:
    """Stages that were noted while the commit's files were being edited, and that the commit itself does not have."""
    surplus = [stage for stage in known if stage not in own and known[stage][0].state == "unknown"]
    return surplus if surplus and is_as_committed(project.location) else []


def input_paths(planner: Planner) -> set[str]:
    """Every path in the repository that is input of a stage and output of none."""
    return {path for name in planner.stages for path in _inputs(planner, name) if not path.startswith(OUTSIDE)}


def unknown_stages(planner: Planner, differing: set[str]) -> set[str]:
    """Stages of which an input differs between commit and work tree, or cannot be told, with all that need them."""
    direct = [
        name
        for name in planner.stages
        if name in planner.broken or planner.unsure(name) or _is_unknown(_inputs(planner, name), differing)
    ]
    return planner.graph.with_downstreams(direct)


def _is_unknown(inputs: list[str], differing: set[str]) -> bool:
    """Whether one of these paths differs from the commit, or is code that no commit can hold."""
    return not differing.isdisjoint(inputs) or any(path.startswith(OUTSIDE) for path in inputs)


def _inputs(planner: Planner, name: str) -> list[str]:
    stage = planner.stages[name]
    raw = [path for path in stage.spec.dep_paths() if not planner.producers.of(path)]
    # An object made where no file says so, such as a custom loader, has none.
    code = {entry.file for entry in stage.manifest.entries if entry.file} | set(stage.manifest.passing)
    folder = stage.spec.file.rpartition("/")[0]
    params = [f"{folder}/{name}".lstrip("/") for name in NAMES] if stage.spec.params else []
    return [*raw, *sorted(code), stage.spec.file, *params]


def _there(project: Project, paths: set[str]) -> set[str]:
    """Without params files that are neither in the work tree nor in Git: what is nowhere does not differ."""
    absent = {path for path in paths if path.endswith(NAMES) and not (project.root / path).exists()}
    return paths - (absent - tracked(project.location, absent) if absent else set())


def _line(decision: Decision, tree12: str, *, unknown: bool) -> NoteLine:
    record = decision.record
    if unknown:
        return NoteLine(decision.stage, "unknown", tree12)
    if record is None or decision.action not in (Action.KEEP, Action.RESTORE):
        return NoteLine(decision.stage, "stale", tree12)
    outs = tuple(sorted((path, out.id) for path, out in record.outs.items()))
    return NoteLine(decision.stage, "result", tree12, record.fingerprint, record.result, outs)
