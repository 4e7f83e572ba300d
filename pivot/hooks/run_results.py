"""What a run of pushed code has left in its checkout, taken over into the server's repository and store.

Pushed code could write into the checkout as it liked. So no program of Git is started in a repository whose
configuration it may have written: objects alone are moved into repositories that are made here, refs are read as plain
files, and what they lead to is checked as what somebody pushes. The server then writes records and notes itself.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from pivot.errors import GitError, PivotError
from pivot.git.odb.process_backend import ProgramBackend, read_algorithm
from pivot.git.plumbing.command import clean_environment, run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.hooks.server_push import ReceivedRef
from pivot.hooks.state_push import state_problems
from pivot.operations.sandbox import SandboxFolders
from pivot.project import Project
from pivot.sharing.outputs_to_move import outs_of
from pivot.state import notes, run_cache
from pivot.state.journal import Finished, Reach
from pivot.state.notes import NoteLine, Notes, Proof, format_proof
from pivot.state.record_closure import source_digests
from pivot.state.run_cache import Found, RunCache
from pivot.store.odb.layout import create
from pivot.store.odb.objects import Object
from pivot.sync.remote.channel import LocalShell
from pivot.sync.remote.shell_remote import HostRemote
from pivot.sync.transfer.transfer import JOBS, Transfer
from pivot.sync.transfer.upload import Manner, writer_of

PROVED = "refs/pivot-ci/runs"
"""The records that this server has made itself: those alone does it believe."""

_ID = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\n")
_BORROWED = ("info/alternates", "info/http-alternates")
_MOST_REF = 100  # bytes


class Results(Struct, frozen=True):
    """What was taken over: the commit's lines, how many results, and what was wrong with the rest."""

    lines: Mapping[str, tuple[NoteLine, ...]]
    kept: int = 0
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return bool(self.lines) and all(group[0].state == "result" for group in self.lines.values())


def proved_runs(project: Project) -> RunCache:
    return RunCache(project.backend, ref=PROVED, tracking="")


def seed(project: Project, room: SandboxFolders) -> str | None:
    """Let a checkout know what this server has proved, and nothing that was pushed; the tip that it begins with."""
    tip = project.backend.ref_get(PROVED)
    if tip:
        run_git(["update-ref", run_cache.REF, tip], room.root, env=clean_environment(os.environ))
    return tip


def take_over(project: Project, room: SandboxFolders, commit: str, base: str | None, who: str) -> Results:
    """Write what a run has found out into the repository, in the name of `who`.

    Raises:
        GitError: the repository cannot be written, or what the run has left is not what Pivot writes.
    """
    made = _Salvage(project.location, room)
    try:
        problems = made.problems(base)
        if problems:
            return Results({}, problems=tuple(problems))
        found = list(made.found(base))
        whole, lacking = _bring_outputs(project, made.store, found)
        finished = [one for held in whole for one in made.finished(held)]
        lines = made.lines(commit)
    finally:
        made.close()
    message = f"repro: {len(whole)} results of {commit[:12]}, run on this server"
    if finished:
        proved_runs(project).flush(finished, message, project.author)
        project.runs.flush(finished, message, project.author)
    if lines and not lacking:
        _note(project, commit, lines, who)
    return Results(lines if not lacking else {}, len(whole), tuple(lacking))


class _Salvage:
    """The objects of a checkout and of its store, in repositories of our own."""

    def __init__(self, location: RepositoryLocation, room: SandboxFolders) -> None:
        self._git = room.root / ".git"
        self._place = room.root.parent / "result.git"
        self.store = room.root.parent / "store.git"
        algorithm = read_algorithm(location.common_dir)
        made = ["init", "--quiet", "--bare", "--template=", f"--object-format={algorithm}", str(self._place)]
        run_git(made, room.root.parent, env=clean_environment(os.environ))
        _move(self._git, "objects", self._place)
        borrowed = self._place / "objects/info/alternates"
        borrowed.parent.mkdir(exist_ok=True)
        borrowed.write_text("".join(f"{folder}\n" for folder in room.readable))
        create(str(self.store))
        if os.path.lexists(self._git / "pivot/store.git"):
            for name in ("objects", "large"):
                _move(self._git / "pivot/store.git", name, self.store)
        self._location = RepositoryLocation(None, self._place, self._place)
        self._backend = ProgramBackend(self._place, self._place)
        self._tips = {ref: tip for ref in (run_cache.REF, notes.REF) if (tip := self._ref(ref))}
        for ref, tip in self._tips.items():
            self._backend.ref_cas(ref, tip, None, "of a run")
        self._runs = RunCache(self._backend, tracking="")

    def problems(self, base: str | None) -> list[str]:
        zero = "0" * 40
        old = {run_cache.REF: base or zero}
        moved = [ReceivedRef(old.get(ref, zero), tip, ref) for ref, tip in self._tips.items() if tip != old.get(ref)]
        return state_problems(self._location, self._backend, moved)

    def found(self, base: str | None) -> Iterator[Found]:
        """The records that the run has made."""
        for fingerprint, result in self._runs.added_since(base):
            yield from (one for one in self._runs.lookup(fingerprint) if one.result == result)

    def finished(self, found: Found) -> Iterator[Finished]:
        digests = source_digests(found.record)
        sources = {digest: text for digest in digests if (text := self._runs.source(digest)) is not None}
        static = found.record.static_fingerprint
        modules = tuple(self._runs.reach(static))
        reach = Reach(static, modules) if modules else None
        for info in self._runs.infos(found.fingerprint, found.result):
            yield Finished(info.stage, found.record, info, sources, reach)

    def lines(self, commit: str) -> dict[str, tuple[NoteLine, ...]]:
        """Of this commit alone: a stage that commits, or notes another commit, proves nothing about that."""
        return Notes(self._backend).read(commit)

    def close(self) -> None:
        self._backend.close()

    def _ref(self, name: str) -> str | None:
        """A ref as libgit2 writes it, without following a link."""
        try:
            descriptor = os.open(self._git / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            held = _ID.fullmatch(file.read(_MOST_REF))
        return held[1].decode() if held else None


def _move(source: Path, name: str, target: Path) -> None:
    """Put a folder of objects in the place of an empty one of ours; nothing in it may lead out of it.

    Raises:
        GitError: it does.
    """
    for place in (source, source / name):
        if place.is_symlink() or not place.is_dir():
            raise GitError("the run has put something else in the place of its repository", where=str(place))
    for folder, folders, files in os.walk(source / name):
        for one in (*folders, *files):
            path = Path(folder, one)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise GitError("the run has left a link among its objects", where=str(path))
    shutil.rmtree(target / name)
    (source / name).rename(target / name)
    for borrowed in _BORROWED:
        (target / name / borrowed).unlink(missing_ok=True)


def _bring_outputs(project: Project, store: Path, found: Iterable[Found]) -> tuple[list[Found], list[str]]:
    """Outputs into the server's store, each checked by its id; the results whose outputs are all there then."""
    wanted = list(found)
    roots = list(outs_of(*(one.record for one in wanted)).values())
    roots += [root for one in wanted for root in outs_of(one.record).values()]
    remote = HostRemote("the run", str(store), str(store), LocalShell)
    manner = Manner(writer_of(str(project.location.common_dir)), lambda _: None, JOBS)
    problems: list[str] = []
    with Transfer(project.store, remote, manner) as transfer:
        try:
            transfer.receive(transfer.plan_receive(roots))
        except PivotError as error:
            problems.append(error.what)
    whole = [one for one in wanted if _is_whole(project, one)]
    return whole, problems if len(whole) < len(wanted) else []


def _is_whole(project: Project, found: Found) -> bool:
    return all(project.store.has(Object(out.id, out.mode, out.size)) for out in found.record.outs.values())


def _note(project: Project, commit: str, lines: Mapping[str, tuple[NoteLine, ...]], who: str) -> None:
    """What was run here takes the place of all that was claimed, with a line that says who ran it."""
    noted = Notes(project.backend)
    claimed = noted.read(commit)
    given = [line for group in lines.values() for line in group]
    results = tuple(sorted((line.stage, line.result) for line in given if line.result))
    proof = format_proof(Proof(project.backend.read_commit(commit).tree[:12], who, results))
    message = f"{commit[:12]}: run on {who}"
    stages = claimed.keys() | lines.keys()
    noted.write({commit: given}, message, project.author, without=stages, remarks={commit: [proof]})
