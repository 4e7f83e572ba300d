"""Reading every byte that a remote has of the results that are known here; what is wrong there can be sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from pivot.git.odb.backend import TREE
from pivot.maintenance.fsck import Checked, Loss
from pivot.project import Project
from pivot.sharing.outputs_to_move import outs_of
from pivot.state.records import Record
from pivot.state.run_cache import Found
from pivot.store.exchange import Member, WantedRoot, as_object, digest_of, read_level
from pivot.store.odb.objects import EMPTY_TREE, POINTER_MAX, ObjectProblem, Pointer, parse_pointer
from pivot.sync.remote.remote import Remote
from pivot.sync.transfer.transfer import Transfer
from pivot.sync.transfer.upload import Sending

BATCH = 16 << 20  # bytes of small objects that are read at once


def check_remote(
    project: Project, transfer: Transfer, tell: Callable[[int, int], None], *, mend: bool = False
) -> Checked:
    """Check all that the remote has; `tell` hears how many objects of how many have been read.

    With `mend` what is missing or damaged there, and whole here, is sent again.

    Raises:
        RemoteError: the remote cannot be reached or written.
    """
    found = [one for names in _names(project) for one in names]
    there = _Contents(transfer.remote)
    pushed = there.begin({root for one in found for root in outs_of(one.record).values()})
    there.read(tell)
    checked = Checked(records=len(found), objects=len(there.state))
    for one in found:
        outs = outs_of(one.record)
        if outs and not any(root.id in pushed for root in outs.values()):
            checked.absent += 1
            continue
        checked.losses += _losses(project, transfer.remote, there, one)
    checked.refused = list(project.runs.refused)
    if mend and checked.losses:
        checked.mended = _mend(transfer, there, [root for one in found for root in outs_of(one.record).values()])
    return checked


class _Contents(Struct):
    """What a remote holds below some roots: `state` is empty for what is whole, else "missing" or "damaged"."""

    remote: Remote
    state: dict[str, str] = field(default_factory=dict)
    below: dict[str, list[WantedRoot]] = field(default_factory=dict)
    pointers: dict[str, Pointer] = field(default_factory=dict)
    _files: dict[str, int] = field(default_factory=dict)

    def begin(self, roots: set[WantedRoot]) -> set[str]:
        """Read all directories; the ids of the roots that are there."""
        level = list(roots)
        pushed: set[str] | None = None
        while level:
            sizes = self.remote.sizes(list(dict.fromkeys(one.id for one in level)))
            sizes[EMPTY_TREE] = 0
            pushed = set(sizes) if pushed is None else pushed
            self.state |= {one.id: "" if one.id in sizes else "missing" for one in level}
            self._files |= {one.id: sizes[one.id] for one in level if one.mode != TREE and one.id in sizes}
            folders = [one.id for one in level if one.mode == TREE and one.id in sizes and one.id != EMPTY_TREE]
            level = [one for one in self._read_folders(folders) if one.id not in self.state]
        return pushed or set()

    def read(self, tell: Callable[[int, int], None]) -> None:
        """Read all files, and check their names."""
        done = 0
        for batch in _batches(self._files):
            data = self.remote.read(batch)
            self.state |= {oid: "damaged" for oid in batch if oid not in data}
            short = {oid: parse_pointer(held) for oid, held in data.items() if len(held) <= POINTER_MAX}
            self.pointers |= {oid: pointer for oid, pointer in short.items() if pointer}
            done += len(batch)
            tell(done, len(self._files))
        whole = self.remote.large_sizes(self.pointers.values())
        for oid, pointer in self.pointers.items():
            self.state[oid] = self._large(pointer) if pointer.blake3 in whole else "missing"

    def problems(self, root: WantedRoot, path: str = "") -> Iterator[ObjectProblem]:
        if self.state[root.id]:
            yield ObjectProblem(root.id, self.state[root.id], path)
        for one in self.below.get(root.id, ()):
            yield from self.problems(one, f"{path}/{one.path}".lstrip("/"))

    def _read_folders(self, ids: list[str]) -> Iterator[WantedRoot]:
        data = self.remote.read(ids)
        self.state |= {oid: "damaged" for oid in ids if oid not in data}
        for oid, held in data.items():
            self.below[oid] = read_level(held)
            yield from self.below[oid]

    def _large(self, pointer: Pointer) -> str:
        def digest() -> str:
            return digest_of(self.remote.fetch_large(pointer, 0))

        return "" if self.remote.again(digest) == pointer.blake3 else "damaged"


def _names(project: Project) -> Iterator[list[Found]]:
    """Every record, fingerprint by fingerprint."""
    for fingerprint in dict.fromkeys(name for name, _ in project.runs.fingerprints()):
        yield project.runs.lookup(fingerprint)


def _losses(project: Project, remote: Remote, there: _Contents, found: Found) -> Iterator[Loss]:
    infos = project.runs.infos(found.fingerprint, found.result)
    stage = infos[0].stage if infos else found.fingerprint[:12]
    for path, root in outs_of(found.record).items():
        if problems := tuple(there.problems(root)):
            yield Loss(stage, found.fingerprint, found.result, path, problems, _again(project, remote, found.record))


def _again(project: Project, remote: Remote, record: Record) -> str:
    if all(project.store.has(held) for held in map(as_object, outs_of(record).values())):
        return f"git pivot fsck --remote {remote.name} --mend"
    return f"`git pivot fsck --remote {remote.name} --mend` in a clone that has it"


def _mend(transfer: Transfer, there: _Contents, roots: Iterable[WantedRoot]) -> int:
    """Send what is wrong there and whole here; how much that was."""
    wrong = {oid for oid, state in there.state.items() if state}
    closure = transfer.closure(roots)
    members = [one for oid, one in closure.members.items() if oid in wrong]
    large = [pointer for oid, pointer in closure.large.items() if oid in wrong]
    transfer.remote.remove([*map(_loose_path, members), *map(_large_path, large)])
    transfer.send(Sending(_files_first(members), tuple(large)))
    return len(members) + len(large)


def _files_first(members: list[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda one: one.mode == TREE))


def _loose_path(member: Member) -> str:
    return f"objects/{member.id[:2]}/{member.id[2:]}"


def _large_path(pointer: Pointer) -> str:
    return f"large/{pointer.blake3[:2]}/{pointer.blake3[2:]}"


def _batches(sizes: dict[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = BATCH
    for oid, size in sizes.items():
        if batch and size > room:
            yield batch
            batch, room = [], BATCH
        batch.append(oid)
        room -= size
    if batch:
        yield batch
