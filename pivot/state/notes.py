"""Notes: what a commit stands on, one line a stage, in `refs/notes/pivot` as Git's own commands read it.

    <stage> <fingerprint> <result> <tree12> <path>=<object id> ...    the stage's result at this commit
    <stage> stale <tree12>                                            no result for the commit's inputs is known
    <stage> unknown <tree12>                                          an input at the commit is not what was looked at
    =proved <tree12> <who> <stage>=<result> ...                       who has run these stages, and found these results

Lines are sorted by bytes, fields percent-encoded. `tree12` is the start of the commit's tree id: a line counts only
where it matches, so a note that Git copied onto changed content is not believed. Layout 2/38 (2/62 for SHA-256).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from pivot.errors import GitError, MissingObject, RecordError, UnreadableObject
from pivot.git.odb.backend import TREE, Author, Backend, TreeEntry
from pivot.git.odb.trees import Content, SmallerBlob, Trees, add_files
from pivot.git.plumbing.names import is_stage_name
from pivot.git.plumbing.quoting import quoted
from pivot.git.safe_path import is_safe_path
from pivot.state.noted_trees import NotedTrees
from pivot.state.shared_ref import SharedRef

REF = "refs/notes/pivot"
TRACKING = "notes"
PROOF = b"=proved"

State = Literal["result", "unknown", "stale"]

# The stronger comes first: a result says more than unknown, unknown more than stale.
_STRENGTH: tuple[State, ...] = ("result", "unknown", "stale")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_CLAIM = re.compile(rb"[0-9a-f]{32}")
_SPECIAL = re.compile("[%=\x00-\x20\x7f-\xa0\ud800-\udfff]")
_TOP = re.compile(r"[0-9a-f]{2}|[0-9a-f]{40}|[0-9a-f]{64}|epoch")
_OBJECT = re.compile(r"[0-9a-f]{40}")
MOST_NOTE = 8 << 20  # bytes: some 25,000 stages
_SHORT = re.compile(r"[0-9a-f]{12}")
_NAME = re.compile(r"[0-9a-f]+")
_FOLDERS = 2  # in each other, at most: as many as `_blobs` knows
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


class NoteLine(Struct, frozen=True):
    """One stage at one commit; `outs` are pairs of path and object id, for a result only."""

    stage: str
    state: State
    tree: str
    fingerprint: str | None = None
    result: str | None = None
    outs: tuple[tuple[str, str], ...] = ()


class Proof(Struct, frozen=True):
    """A server's word that it has run stages of a commit itself; `results` are pairs of stage and result."""

    tree: str
    who: str
    results: tuple[tuple[str, str], ...]


class Notes:
    """The notes that are here: the local ref and what was fetched."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._trees = Trees(backend)
        self._history = SharedRef(backend, REF, (TRACKING, _TOP), self._trees)
        self._settle = NotesMerge(self._trees)
        self._index = NotedTrees(backend, self._names)
        self.refused: dict[str, str] = {}  # why the note of a commit was not read

    def read(self, commit: str) -> dict[str, tuple[NoteLine, ...]]:
        """By stage, the lines that are true of a commit; more than one for a stage: two results that differ."""
        tree12 = self._backend.read_commit(commit).tree[:12]
        lines = [line for text in self._texts(commit) for line in parse_note(text, tree12)[0]]
        return by_stage(line for line in lines if line.tree == tree12)

    def find(self, commit: str) -> tuple[str, dict[str, tuple[NoteLine, ...]]]:
        """The commit whose note tells of this one, itself or another of the same files, with the lines of that note.

        There are none where nobody has noted anything.
        """
        found = ((noted, lines) for noted in self._alike(commit) if (lines := self.read(noted)))
        return next(found, (commit, {}))

    def lines(self, commit: str) -> set[NoteLine]:
        """All that notes say of a commit, which need not be here; whether it is true of its tree cannot be told."""
        return {line for text in self._texts(commit) for line in parse_note(text)[0]}

    def void(self, commit: str) -> list[tuple[str, str]]:
        """Stages, if known, and why lines about this commit, or its whole note, cannot be read: a check must refuse."""
        tree12 = self._backend.read_commit(commit).tree[:12]
        lines = [line for text in self._texts(commit) for line in text.split(b"\n")]
        named = [(decode_field(line.split(b" ")[0]), why) for line in lines if (why := why_void(line, tree12))]
        found = sorted({(stage if is_stage_name(stage) else "", why) for stage, why in named})
        return [*found, *(("", why) for one, why in self.refused.items() if one == commit)]

    def _texts(self, commit: str) -> Iterator[bytes]:
        """What notes say of a commit; one that is damaged or too large to be one of ours says nothing."""
        for root in self._history.trees():
            for oid in self._blobs(root, commit).values():
                try:
                    yield self._trees.blob(oid, MOST_NOTE)
                except UnreadableObject as error:
                    self.refused[commit] = f"the note of {commit[:12]} is not used: {error.what}"

    def commits(self) -> Iterator[str]:
        """Every commit that has a note, whether the commit is here or not."""
        length = len(self._history.tip() or "") or 40
        found: set[str] = set()
        for root in self._history.trees():
            found.update(commit for commit, _ in self._walk(root, "", length))
        yield from sorted(found)

    def write(
        self,
        notes: Mapping[str, Iterable[NoteLine]],
        message: str,
        author: Author,
        *,
        without: Collection[str] = (),
        remarks: Mapping[str, Iterable[bytes]] | None = None,
    ) -> str | None:
        """Add lines to the notes of commits, all in one commit; gives the tip.

        `remarks` are lines that are about no single stage, by commit; a proof takes the place of an older one.

        Lines about another tree than the commit's, damaged ones and those of the stages `without` are taken out. Lines
        that Pivot did not write stay.

        Raises:
            RefMoved: others kept the ref busy for ten seconds.
            GitError: the repository cannot be written.
        """
        self._history.absorb_tracked(self._settle, author)
        lines = {commit: list(given) for commit, given in notes.items()}
        added = {commit: tuple(given) for commit, given in (remarks or {}).items()}
        return self._history.commit(lambda tree: self._with(tree, lines, without, added), message, author)

    def proofs(self, commit: str) -> list[Proof]:
        """Who says that they have run the commit's stages, of those proofs that are about its tree."""
        tree12 = self._backend.read_commit(commit).tree[:12]
        found = {proof for text in self._texts(commit) for line in text.split(b"\n") if (proof := parse_proof(line))}
        return sorted((one for one in found if one.tree == tree12), key=lambda one: (one.who, one.results))

    def absorb(self, tip: str, author: Author) -> str:
        """Unite with a tip that was fetched, so that the local one can be pushed onto it; gives the new local tip."""
        return self._history.absorb(tip, self._settle, author)

    def shortened(self, message: str, author: Author) -> str | None:
        """A commit that stands for the whole history of the notes, to which nothing leads yet."""
        return self._history.shortened(message, author)

    def replaces(self, theirs: str) -> bool:
        """Whether a tip belongs to a history that was shortened here."""
        return self._history.replaces(theirs)

    def _alike(self, commit: str) -> Iterator[str]:
        """The commit, then others of the same tree: a squash merge or an amended message has no note of its own."""
        yield commit
        tree = self._backend.read_commit(commit).tree
        for other in self._index.commits(self._history.trees(), tree):
            if other != commit and self._has_tree(other, tree):
                yield other

    def _has_tree(self, commit: str, tree: str) -> bool:
        try:
            return self._backend.read_commit(commit).tree == tree
        except (MissingObject, GitError):
            return False  # a note outlives its commit

    def _with(
        self,
        tree: str | None,
        notes: Mapping[str, list[NoteLine]],
        without: Collection[str],
        remarks: Mapping[str, tuple[bytes, ...]],
    ) -> str | None:
        files: dict[str, Content] = {}
        for commit, lines in notes.items():
            held = self._blobs(tree, commit)
            text = self._renewed(commit, list(self._readable(held.values())), lines, without)
            if added := remarks.get(commit):
                text = join_lines([*_without_proofs(text.split(b"\n"), added), *added])
            files |= dict.fromkeys(held)  # at whatever depth Git had put it
            files[_path(commit)] = text or None
        return add_files(self._trees, tree, files)

    def _readable(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """Notes of our own; a damaged one is written again."""
        for oid in blobs:
            with contextlib.suppress(UnreadableObject):
                yield self._trees.blob(oid, MOST_NOTE)

    def _renewed(self, commit: str, texts: list[bytes], lines: list[NoteLine], without: Collection[str]) -> bytes:
        tree12 = self._backend.read_commit(commit).tree[:12]
        parsed = [parse_note(text) for text in texts]
        known = [line for found, _ in parsed for line in found if line.stage not in without]
        foreign = [line for _, others in parsed for line in others if not why_void(line, tree12)]
        kept = by_stage(line for line in (*known, *lines) if line.tree == tree12)
        return join_lines([*(format_line(line) for group in kept.values() for line in group), *foreign])

    def _blobs(self, root: str | None, commit: str) -> dict[str, str]:
        """Path -> blob of a commit's note at each depth that Git may give it."""
        paths = (commit, _path(commit), f"{commit[:2]}/{commit[2:4]}/{commit[4:]}")
        found = ((path, self._trees.at(root, path)) for path in paths)
        return {path: entry.oid for path, entry in found if entry and entry.mode != TREE}

    def _names(self, folder: str) -> Iterator[tuple[str, TreeEntry]]:
        return ((name, entry) for name, entry in self._trees.entries(folder).items() if _NAME.fullmatch(name))

    def _walk(self, tree: str, start: str, length: int) -> Iterator[tuple[str, TreeEntry]]:
        for name, entry in self._trees.entries(tree).items():
            commit = start + name
            if not _NAME.fullmatch(name):
                continue
            if entry.mode == TREE and len(name) == 2 and len(commit) <= _FOLDERS * 2:
                yield from self._walk(entry.oid, commit, length)
            elif entry.mode != TREE and len(commit) == length:
                yield commit, entry


class NotesMerge(SmallerBlob):
    """As `git notes merge -s cat_sort_uniq`: two notes on one commit become the set of their lines."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees

    def blob(self, path: str, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | bytes:
        try:
            united = _cat_sort_uniq(self._trees.blob(ours.oid, MOST_NOTE), self._trees.blob(theirs.oid, MOST_NOTE))
        except UnreadableObject:
            return super().blob(path, ours, theirs)
        return united if len(united) <= MOST_NOTE else super().blob(path, ours, theirs)

    def prepare(self, tree: str) -> str:
        """With few notes Git writes them without folders: put them into ours, so that equal commits meet."""
        flat = {name: entry.oid for name, entry in self._trees.entries(tree).items() if _is_flat(name, entry)}
        files: dict[str, Content] = dict.fromkeys(flat)
        for commit, oid in flat.items():
            there = self._trees.at(tree, _path(commit))
            files[_path(commit)] = _cat_sort_uniq(*map(self._trees.blob, (oid, there.oid))) if there else oid
        return add_files(self._trees, tree, files) or tree if files else tree


def head_lines(backend: Backend) -> dict[str, tuple[NoteLine, ...]]:
    """What HEAD's note says, by stage; nothing before the first commit."""
    head = backend.ref_get("HEAD")
    return Notes(backend).read(head) if head else {}


def by_stage(lines: Iterable[NoteLine]) -> dict[str, tuple[NoteLine, ...]]:
    """The strongest lines of each stage, in stable order: all of its results, else unknown, else stale."""
    grouped: dict[str, set[NoteLine]] = {}
    for line in lines:
        grouped.setdefault(line.stage, set()).add(line)
    return {stage: _strongest(grouped[stage]) for stage in sorted(grouped)}


def format_line(line: NoteLine) -> bytes:
    """One line, without its newline."""
    fields = [encode_field(line.stage)]
    if line.state == "result":
        fields += [(line.fingerprint or "").encode(), (line.result or "").encode(), line.tree.encode()]
        fields += [encode_field(path) + b"=" + encode_field(oid) for path, oid in sorted(line.outs)]
    else:
        fields += [line.state.encode(), line.tree.encode()]
    return b" ".join(fields)


def parse_line(text: bytes) -> NoteLine:
    """Read one line.

    Raises:
        RecordError: it is not a line that Pivot writes.
    """
    first, *rest = text.split(b" ")
    words = [word.decode("ascii", "replace") for word in rest[:3]]
    stage = decode_field(first)
    if not is_stage_name(stage):
        raise RecordError(f"a line of a note names what is no stage: {_start(text)}")
    if len(rest) == 2 and words[0] in ("stale", "unknown") and _SHORT.fullmatch(words[1]):
        return NoteLine(stage, "stale" if words[0] == "stale" else "unknown", words[1])
    if len(words) < 3 or not _FINGERPRINT.fullmatch(words[0]) or not all(map(_SHORT.fullmatch, words[1:])):
        raise RecordError(f"this is not a line of a note: {_start(text)}")
    outs = [field.partition(b"=") for field in rest[3:]]
    pairs = tuple(sorted((decode_field(path), decode_field(oid)) for path, _, oid in outs))
    if not all(_OBJECT.fullmatch(oid) and is_safe_path(path) for path, oid in pairs):
        raise RecordError(f"a line of a note names what is no output: {_start(text)}")
    return NoteLine(stage, "result", words[2], words[0], words[1], pairs)


def format_proof(proof: Proof) -> bytes:
    """The line of a proof; no stage's name begins as it does."""
    results = [encode_field(stage) + b"=" + result.encode() for stage, result in proof.results]
    return b" ".join([PROOF, proof.tree.encode(), encode_field(proof.who), *results])


def parse_proof(line: bytes) -> Proof | None:
    """The proof of a line, or None for any other line."""
    first, *rest = line.split(b" ")
    if first != PROOF or len(rest) < 2:
        return None
    tree, who, *results = rest
    pairs = [
        (decode_field(stage), result.decode("ascii", "replace"))
        for stage, _, result in (one.partition(b"=") for one in results)
    ]
    if not _SHORT.fullmatch(tree.decode("ascii", "replace")) or not all(
        _SHORT.fullmatch(one) and is_stage_name(stage) for stage, one in pairs
    ):
        return None
    return Proof(tree.decode(), decode_field(who), tuple(sorted(pairs)))


def _without_proofs(lines: Iterable[bytes], added: Iterable[bytes]) -> list[bytes]:
    """A note's lines without older proofs of those who give new ones."""
    who = {proof.who for line in added if (proof := parse_proof(line))}
    return [line for line in lines if (proof := parse_proof(line)) is None or proof.who not in who]


def _start(text: bytes) -> str:
    return quoted(text[:80].decode("utf-8", "replace"))


def parse_note(text: bytes, tree12: str = "") -> tuple[list[NoteLine], list[bytes]]:
    """The lines that Pivot wrote, and those that it did not: anybody may add to a note.

    With `tree12` those about another tree are not read at all.
    """
    lines: list[NoteLine] = []
    foreign: list[bytes] = []
    about = f" {tree12}".encode()
    for line in filter(None, text.split(b"\n")):
        if tree12 and about not in line:
            continue
        try:
            lines.append(parse_line(line))
        except RecordError:
            foreign.append(line)
    return lines, foreign


def why_void(line: bytes, tree12: str) -> str:
    """Why a line that claims something of this tree cannot be read; empty for a sound line and for a remark."""
    fields = line.split(b" ")[1:4]
    if not (tree12.encode() in fields or any(map(_CLAIM.fullmatch, fields[:1]))) or parse_proof(line):
        return ""
    try:
        parse_line(line)
    except RecordError as error:
        return error.what
    return ""


def join_lines(lines: Iterable[bytes]) -> bytes:
    """A note: each line once, sorted by bytes, each ended by a newline."""
    return b"".join(line + b"\n" for line in sorted(set(lines)) if line)


def encode_field(text: str) -> bytes:
    """Percent-encode what would end a field or a line, `%`, `=`, and bytes that are no text."""
    return _SPECIAL.sub(_percent, text).encode()


def decode_field(field: bytes) -> str:
    # Not urllib's, whose import (from Python 3.12 on nobody else's) is a thirtieth of the hook of a switch.
    plain = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), field)
    return plain.decode("utf-8", "surrogateescape")


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))


def _strongest(lines: set[NoteLine]) -> tuple[NoteLine, ...]:
    state = min((line.state for line in lines), key=_STRENGTH.index)
    return tuple(sorted((line for line in lines if line.state == state), key=format_line))


def _cat_sort_uniq(*texts: bytes) -> bytes:
    return join_lines(line for text in texts for line in text.split(b"\n"))


def _path(commit: str) -> str:
    return f"{commit[:2]}/{commit[2:]}"


def _is_flat(name: str, entry: TreeEntry) -> bool:
    return entry.mode != TREE and len(name) in (40, 64) and _NAME.fullmatch(name) is not None
