"""Is a stage a function of its inputs? It runs twice, in clean directories, and the outputs are compared."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import TargetError
from pivot.git.odb.backend import TREE
from pivot.git.plumbing.command import run_git
from pivot.pipeline.spec import StageSpec
from pivot.plan.decision import Action
from pivot.plan.planner import Planner
from pivot.pool.jobs import Job, JobDone, JobFailed
from pivot.pool.pool import WorkerPool
from pivot.pool.server_pool import WorkerSettings
from pivot.run.session import Session
from pivot.store.odb.objects import Object
from pivot.store.store import Store


class Unequal(Struct, frozen=True):
    """A file that the two runs wrote differently: ids (None: there is none), and where the first difference is."""

    path: str
    first: str | None
    second: str | None
    place: str = ""


class Verdict(Struct, frozen=True):
    """What two runs of a stage came to; `failure` says why there is nothing to compare."""

    stage: str
    outs: int = 0
    unequal: tuple[Unequal, ...] = ()
    failure: str = ""

    @property
    def holds(self) -> bool:
        return not self.unequal and not self.failure


def verify_determinism(session: Session, planner: Planner, names: Iterable[str]) -> Iterator[Verdict]:
    """Run each stage twice; nothing is recorded, and the work tree is not touched.

    Raises:
        TargetError: an input of a stage is not up to date.
    """
    wanted = list(names)
    plan = planner.plan(planner.graph.order)
    for name in wanted:
        for above in planner.graph.upstream[name]:
            if plan.decisions[above].action is not Action.KEEP:
                raise TargetError(f"{name} reads what {above} writes, which is not up to date", hint="git pivot repro")
    for name in wanted:
        yield _verify(session, planner.stages[name].spec)


def _verify(session: Session, spec: StageSpec) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="git-pivot-twice-") as folder:
        store = Store.open(Path(folder) / "store.git", link="copy")
        found: list[Mapping[str, Object]] = []
        for number in ("first", "second"):
            # The same path both times: a path that a stage writes down is not what is asked about here.
            root = Path(folder) / "project"
            _fill(session, spec, root)
            ended = _run(
                replace(session.workers.settings, root=root, store=store.path, cache="", link="copy", carried=0), spec
            )
            shutil.rmtree(root)
            if isinstance(ended, JobFailed):
                return Verdict(
                    spec.name, failure=f"the {number} run failed: {ended.message}\n{ended.traceback}".strip()
                )
            found.append(ended.outs)
        paths = sorted({*found[0], *found[1]})
        unequal = (one for path in paths for one in _differences(store, path, found[0].get(path), found[1].get(path)))
        return Verdict(spec.name, len(paths), tuple(unequal))


def _run(settings: WorkerSettings, spec: StageSpec) -> JobDone | JobFailed:
    """One run with a code server of its own: two of them do not share the seed that Python gives to hashes."""
    with WorkerPool(settings) as workers:
        workers.start(Job(1, spec.name, spec.file))
        ended: list[JobDone | JobFailed] = []
        while not ended:
            ended = [event for event in workers.events() if isinstance(event, JobDone | JobFailed)]
        return ended[0]


def _fill(session: Session, spec: StageSpec, root: Path) -> None:
    """All files of the project that Git knows or does not ignore, and what the stage reads; none of its outputs."""
    project = session.project
    listed = run_git(
        ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        project.root,
        env=project.location.environment(),
    )
    root.mkdir()
    for path in dict.fromkeys([*os.fsdecode(listed).split("\0")[:-1], *spec.dep_paths()]):
        if path not in spec.out_paths():
            _copy(project.root / path, root / path)
    for path in spec.out_paths():
        (root / path).parent.mkdir(parents=True, exist_ok=True)


def _copy(source: Path, target: Path) -> None:
    if not os.path.lexists(source) or (source.is_dir() and (source / ".git").exists()):
        return  # deleted but still in the index; a submodule
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _differences(store: Store, path: str, first: Object | None, second: Object | None) -> Iterator[Unequal]:
    """The files at or below a path that are not the same."""
    if first and second and (first.id, first.mode) == (second.id, second.mode):
        return
    if not (first and second) or TREE not in (first.mode, second.mode) or first.mode != second.mode:
        place = _first_difference(store, first, second) if first and second else ""
        yield Unequal(path, first.id if first else None, second.id if second else None, place)
        return
    names = sorted({entry.name for one in (first, second) for entry in store.entries(one.id)})
    for name in names:
        yield from _differences(store, f"{path}/{name}", store.find(first.id, name), store.find(second.id, name))


def _first_difference(store: Store, first: Object, second: Object) -> str:
    if TREE in (first.mode, second.mode) or store.large_path(first.id) or store.large_path(second.id):
        return ""
    one, other = store.read(first.id), store.read(second.id)
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
    line = one.count(b"\n", 0, at) + 1
    return f"line {line}, byte {at + 1}"
