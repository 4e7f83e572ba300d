"""Pushes of Pivot's own refs: what a server takes of them, whatever `pivot.ci` says.

Nothing that is there is lost: no deletion, and no other history than one that stands for the old one. Nothing comes in
that is not in Pivot's layout, and nothing that is larger than what Pivot writes, so that reading it cannot hurt.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from pivot.errors import PivotError, RecordError, UnknownVersion
from pivot.git.odb.backend import BLOB, Backend
from pivot.git.plumbing.command import ask_git, run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.git.plumbing.quoting import one_line
from pivot.git.plumbing.refs import read_ref
from pivot.hooks.server_push import ReceivedRef
from pivot.state import accepted, notes, rewrite_marker, run_cache
from pivot.state.records import check_record, parse_record

KINDS = {run_cache.REF: "runs", notes.REF: "notes", accepted.REF: "accepted"}
TRACKING = "refs/pivot-remotes/"
SERVER = "refs/pivot-ci/"  # what the server itself has run: nobody pushes there
_OURS = ("refs/pivot/", "refs/pivot-", f"{notes.REF}/")

MIB = 1 << 20
_HEX = "[0-9a-f]"
# What stands at which path, and how many bytes at most.
_LAYOUT: dict[str, dict[str, int]] = {
    "runs": {
        rf"runs/{_HEX}{{2}}/{_HEX}{{30}}\.{_HEX}{{12}}/record": 8 * MIB,
        rf"runs/{_HEX}{{2}}/{_HEX}{{30}}\.{_HEX}{{12}}/info/{_HEX}{{12}}": 4 * MIB,
        rf"code/{_HEX}{{2}}/{_HEX}{{16,64}}": 8 * MIB,
        rf"reach/{_HEX}{{2}}/{_HEX}{{32}}": 4 * MIB,
        rewrite_marker.FILE: MIB,
    },
    "notes": {rf"(?:{_HEX}{{2}}/)*{_HEX}{{36,64}}": 8 * MIB, rewrite_marker.FILE: MIB},
    "accepted": {rf"{_HEX}{{2}}/{_HEX}{{30}}": MIB, rewrite_marker.FILE: MIB},
}
_RECORD = re.compile(r"runs/(..)/(.{30})\.(.{12})/record")


class _Added(Struct, frozen=True):
    """One entry that a pushed commit adds or changes."""

    mode: int
    oid: str
    path: str


def state_refs(refs: Iterable[ReceivedRef]) -> list[ReceivedRef]:
    """Those of a push that are Pivot's, also in a spelling that a file system may take for the same name."""
    return [ref for ref in refs if _is_ours(ref.name.casefold())]


def state_problems(
    location: RepositoryLocation, backend: Backend, refs: Iterable[ReceivedRef], server: str = ""
) -> list[str]:
    """Why these refs may not move so. Nobody else says that the `server` of this name has run something.

    Raises:
        GitError: what was pushed cannot be read.
    """
    checks = [_PushCheck(location, backend, ref, server) for ref in state_refs(refs)]
    return [f"{one.name}: {problem}" for one in checks for problem in one.problems()]


def _is_ours(name: str) -> bool:
    return name == notes.REF or name.startswith(_OURS)


class _PushCheck:
    def __init__(self, location: RepositoryLocation, backend: Backend, ref: ReceivedRef, server: str) -> None:
        self.name = ref.name
        self._server = server
        self._location = location
        self._backend = backend
        self._ref = ref
        is_tracking = ref.name.startswith(TRACKING)
        self._kind = ref.name.rpartition("/")[2] if is_tracking else KINDS.get(ref.name, "")
        self._keeps = not is_tracking

    def problems(self) -> Iterator[str]:
        """At most one: the first is reason enough, and what follows it may be made to be slow to look at."""
        yield from itertools.islice(self._all(), 1)

    def _all(self) -> Iterator[str]:
        if self._ref.name.startswith(SERVER):
            yield "this is what the server itself has run, and nobody else writes there"
        elif self._kind not in _LAYOUT:
            yield "this server knows no such ref of Pivot; it may need a newer git-pivot"
        elif self._ref.value is None:
            if self._keeps:
                yield "results are not deleted by a push; `git pivot gc` removes what nobody uses"
        elif (kind := self._git("cat-file", "-t", self._ref.new).decode().strip()) != "commit":
            yield f"it is a {kind}, not a commit"
        else:
            yield from self._history()
            yield from self._entries()

    @property
    def _old(self) -> str | None:
        return self._ref.old if set(self._ref.old) != {"0"} else None

    def _history(self) -> Iterator[str]:
        """A push may add to the history, or put one in its place that names it and has all that it has."""
        if not self._old or not self._keeps:
            return
        args = ["merge-base", "--is-ancestor", self._old, self._ref.new]
        answer = ask_git(args, self._location.folder, env=self._location.environment())
        if answer.code == 0:
            return
        if answer.code != 1 or not self._stands_for_old():
            yield "the push would replace results of others; `git pivot push` unites with them first"

    def _stands_for_old(self) -> bool:
        """As `git pivot gc --rewrite` makes it: an epoch that names the old tip, and nothing is gone."""
        row = self._git("ls-tree", "-z", self._ref.new, "--", rewrite_marker.FILE)
        if not row or self._old is None:
            return False
        oid = row.split(b"\t")[0].split()[2].decode()
        if self._sizes([oid])[oid] > MIB:
            return False
        if rewrite_marker.shorten(self._old) not in rewrite_marker.parse_epoch(self._backend.read_blob(oid)):
            return False
        gone = self._git("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=D", self._old, self._ref.new)
        return not gone

    def _entries(self) -> Iterator[str]:
        found = list(self._added())
        layout = {re.compile(pattern): most for pattern, most in _LAYOUT[self._kind].items()}
        sizes = self._sizes([one.oid for one in found])
        for one in found:
            most = next((most for pattern, most in layout.items() if pattern.fullmatch(one.path)), None)
            if most is None or one.mode != BLOB:
                yield f"{one_line(one.path, 200)} is nothing that Pivot writes there"
                return
            if sizes[one.oid] > most:
                yield f"{one.path} has {sizes[one.oid]} bytes; {most} is the most"
                return
        yield from (problem for one in found for problem in (*self._record(one), *self._proof(one)))

    def _record(self, one: _Added) -> Iterator[str]:
        """A record that does not give its own path is refused; one of a newer Pivot is for who has that."""
        named = _RECORD.fullmatch(one.path) if self._kind == "runs" else None
        if named is None:
            return
        try:
            check_record(parse_record(self._backend.read_blob(one.oid)), named[1] + named[2], named[3])
        except UnknownVersion:
            return
        except RecordError as error:
            yield f"{one.path}: {error.what}"

    def _proof(self, one: _Added) -> Iterator[str]:
        """A note that says of this server what it has not said itself."""
        if self._kind != "notes" or not self._server or one.path == rewrite_marker.FILE:
            return
        new = self._claims(self._backend.read_blob(one.oid))
        if new and not new <= self._claims(self._noted(one.path)):
            yield f"the note of {one.path.replace('/', '')[:12]} says that {self._server} has run it, which it has not"

    def _claims(self, note: bytes) -> set[notes.Proof]:
        found = (notes.parse_proof(line) for line in note.split(b"\n"))
        return {proof for proof in found if proof and proof.who == self._server}

    def _noted(self, path: str) -> bytes:
        """The server's own note, at whatever depth Git keeps it, before the push."""
        tip = read_ref(self._location.common_dir, self._location.git_dir, notes.REF)
        name = path.replace("/", "")
        paths = (name, f"{name[:2]}/{name[2:]}", f"{name[:2]}/{name[2:4]}/{name[4:]}")
        env = self._location.environment()
        found = [ask_git(["cat-file", "blob", f"{tip}:{one}"], self._location.folder, env=env) for one in paths if tip]
        return b"\n".join(answer.out for answer in found if answer.code == 0)

    def _added(self) -> Iterator[_Added]:
        """What each pushed commit adds or changes, also where a later one takes it out again."""
        options = ["--format=", "--raw", "--no-abbrev", "--no-renames", "--root", "-m", "-r", "-z"]
        known = [f"^{self._old}"] if self._old else []
        fields = iter(self._git("log", *options, self._ref.new, *known, "--").split(b"\0"))
        for field in fields:
            row = field.strip(b"\n")  # empty between two commits
            if not row.startswith(b":"):
                continue
            _, mode, _, oid, status = row.split()
            path = next(fields).decode("utf-8", "surrogateescape")
            if status != b"D":
                yield _Added(int(mode, 8), oid.decode(), path)

    def _sizes(self, oids: Sequence[str]) -> dict[str, int]:
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        asked = "".join(f"{oid}\n" for oid in wanted).encode()
        told = self._git("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).decode().split("\n")
        sizes = dict(line.split(" ", 1) for line in told if line)
        if not all(sizes.get(oid, "").isdigit() for oid in wanted):
            raise PivotError("an object of the push is not there")
        return {oid: int(sizes[oid]) for oid in wanted}

    def _git(self, *args: str, stdin: bytes | None = None) -> bytes:
        return run_git(args, self._location.folder, stdin=stdin, env=self._location.environment())
