"""Removing from a remote what nobody needs: the only way in which bytes ever leave it.

What stays, whoever knows of it: all below the roots; all that was marked within the safety age, and never less than a
day ago; all that came there within the safety age. Directories go before what is in them, and files before the large
files that they point to; should it be cut off even so, the announcement tells pushers to look twice (`upkeep`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from pivot.errors import DamagedObject, RemoteError
from pivot.git.odb.backend import TREE
from pivot.store.exchange import Exchange, WantedRoot, read_level
from pivot.store.odb.objects import EMPTY_TREE, POINTER_MAX, parse_pointer
from pivot.store.prune import DAY, WORTH, LiveObjects, Marked
from pivot.sync.remote.maintenance import Cleaning, HostFile, Listed, Upkeep
from pivot.sync.remote.remote import Remote
from pivot.sync.transfer.download import POINTER_MIN


class Terms(Struct, frozen=True):
    """On which terms: `origins` were asked for the roots; what came in the last `age` seconds stays."""

    origins: frozenset[str]
    age: float
    dry_run: bool


class Cleaned(Struct):
    """What was removed, or would be: Git objects, large files, what broken pushes left behind, and bytes there."""

    objects: int = 0
    large: int = 0
    leftovers: int = 0
    bytes: int = 0


def clean(exchange: Exchange, remote: Remote, roots: Iterable[WantedRoot], terms: Terms) -> Cleaned:
    """Remove what is dead on a remote; pushers wait meanwhile.

    Raises:
        RemoteError: another clean-up is under way, or somebody has pushed who was not asked.
        DamagedObject: something that is needed cannot be read there, so that nobody can say what is below it.
    """
    if not remote.exists():
        return Cleaned()
    upkeep = remote.upkeep
    if terms.dry_run:
        dead = _Dead(exchange, remote, roots, terms)
        return dead.counted()
    with upkeep.cleaning() as cleaning:
        dead = _Dead(exchange, remote, roots, terms)
        dead.remove(upkeep, cleaning)
    return dead.counted()


class _Dead:
    """What is dead in a store at one time."""

    def __init__(self, exchange: Exchange, remote: Remote, roots: Iterable[WantedRoot], terms: Terms) -> None:
        upkeep = remote.upkeep
        if unasked := set(upkeep.origins()) - terms.origins:
            raise RemoteError(
                f"somebody pushes to {remote.name} from {min(unasked)} for the first time", hint="Run again."
            )
        marked = Marked()
        marked.add(upkeep.marks(max(terms.age, DAY)))
        self.there = upkeep.objects()
        self._live = find_live(exchange, remote, [*roots, *(WantedRoot(*one) for one in marked.objects)], self.there)
        self._live.large |= marked.large
        files = [one for one in upkeep.files(terms.age) if one.is_old]
        loose = (one for one in files if _is_dead(one.path, "objects", 38, self._live.objects))
        self.loose = {"".join(one.path.split("/")[1:]): one for one in loose}
        self.large = [one for one in files if _is_dead(one.path, "large", 62, self._live.large)]
        self.packs = _dead_packs(upkeep, files, self._live.objects)
        self.leftovers = upkeep.leftovers(max(terms.age, DAY))

    def counted(self) -> Cleaned:
        """How much that is; of a pack the bytes of what is dead in it."""
        found = Cleaned(len(self.loose), len(self.large), len([one for one in self.leftovers if _is_temp(one.path)]))
        found.bytes = sum(one.size for one in (*self.loose.values(), *self.large, *self.leftovers))
        dead = {oid for pack in self.packs for oid in pack.dead}
        found.objects += len(dead - self.loose.keys())
        found.bytes += sum(self.there[oid].on_disk for pack in self.packs for oid in pack.dead if oid in self.there)
        return found

    def remove(self, upkeep: Upkeep, cleaning: Cleaning) -> None:
        """Directories first, large files last."""
        gone = [path for pack in self.packs for path in _written_anew(upkeep, cleaning, pack)]
        cleaning.remove([path for path in gone if path.endswith(".idx")])  # or somebody would look for what is gone
        cleaning.remove([path for path in gone if not path.endswith(".idx")])
        kinds = {oid: self.there[oid].kind if oid in self.there else "" for oid in self.loose}
        cleaning.remove([one.path for oid, one in self.loose.items() if kinds[oid] == "tree"])
        cleaning.remove([one.path for oid, one in self.loose.items() if kinds[oid] != "tree"])
        cleaning.remove([one.path for one in self.large])
        cleaning.remove([one.path for one in self.leftovers])


def find_live(
    exchange: Exchange, remote: Remote, roots: Iterable[WantedRoot], there: Mapping[str, Listed]
) -> LiveObjects:
    """Everything at and below the roots; what is not here is read from the remote.

    Raises:
        DamagedObject: the remote has something of it that cannot be read.
    """
    live = LiveObjects()
    short: list[str] = []
    level = list(roots)
    while level:
        fresh = {one.id: one.mode for one in level if one.id not in live.objects}
        live.objects |= fresh.keys()
        short += [oid for oid, mode in fresh.items() if mode != TREE and _may_be_pointer(there.get(oid))]
        level = list(_below(exchange, remote, [oid for oid, mode in fresh.items() if mode == TREE], there))
    for data in _read(remote, short).values():
        if pointer := parse_pointer(data):
            live.large.add(pointer.blake3)
    return live


def _below(exchange: Exchange, remote: Remote, trees: list[str], there: Mapping[str, Listed]) -> Iterator[WantedRoot]:
    here = {oid: exchange.tree(oid) for oid in trees if exchange.has(oid)}
    for entries in here.values():
        yield from entries or ()
    away = [oid for oid in trees if here.get(oid) is None and oid in there and oid != EMPTY_TREE]
    for data in _read(remote, away).values():
        yield from read_level(data)


def _read(remote: Remote, ids: list[str]) -> dict[str, bytes]:
    found = remote.read(ids)
    if len(found) < len(set(ids)):
        raise DamagedObject(
            f"{remote.name} cannot give {min(set(ids) - found.keys())}, so that nobody knows what it needs",
            where=remote.url,
            hint=f"git pivot fsck --remote {remote.name} --mend",
        )
    return found


def _may_be_pointer(listed: Listed | None) -> bool:
    return listed is not None and POINTER_MIN <= listed.size <= POINTER_MAX


class _Pack(Struct, frozen=True):
    """A pack that goes, whole or as far as it is dead; `path` without its ending."""

    path: str
    files: list[str]
    dead: set[str]
    kept: list[str]


def _dead_packs(upkeep: Upkeep, files: Iterable[HostFile], live: set[str]) -> list[_Pack]:
    packs: dict[str, list[str]] = {}
    for path in (one.path for one in files):
        if path.startswith("objects/pack/pack-"):
            packs.setdefault(path.rpartition(".")[0], []).append(path)
    held = upkeep.packed([f"{path}.idx" for path, names in packs.items() if f"{path}.idx" in names])
    found = []
    for index, ids in held.items():
        path = index.removesuffix(".idx")
        dead = set(ids) - live
        if dead and (len(dead) > len(ids) * WORTH):
            found.append(_Pack(path, packs[path], dead, [oid for oid in ids if oid in live]))
    return found


def _written_anew(upkeep: Upkeep, cleaning: Cleaning, pack: _Pack) -> list[str]:
    """Write what is kept of a pack into another one; the files that may go then."""
    if pack.kept and upkeep.repack(pack.kept) == pack.path:
        return []
    cleaning.still()
    return pack.files


def _is_dead(path: str, folder: str, length: int, live: set[str]) -> bool:
    words = path.split("/")
    is_name = len(words) == 3 and words[0] == folder and len(words[1]) == 2 and len(words[2]) == length
    return is_name and words[1] + words[2] not in live


def _is_temp(path: str) -> bool:
    return not path.startswith("recent/")
