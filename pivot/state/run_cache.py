"""The run cache: `refs/pivot/runs`, a tree of records that every clone and machine shares.

    runs/<2 hex>/<30 hex>.<result>/record      the record (`pivot.state.records`)
    runs/<2 hex>/<30 hex>.<result>/info/<12>   what is said about a run; at most 5, the newest, named by their blob ids
    code/<2 hex>/<digest>                      the source text of a manifest entry
    reach/<2 hex>/<static fingerprint>         project modules imported beyond the static manifest, one a line, sorted

A tip may come from anyone: a record counts only where its own content gives the path at which it stands.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeGuard

from msgspec import Struct

from pivot.errors import MissingObject, RecordError, UnknownVersion, UnreadableObject
from pivot.git.odb.backend import BLOB, TREE, Author, Backend, TreeEntry
from pivot.git.odb.objects import LOST, object_id
from pivot.git.odb.trees import Content, Trees, add_files
from pivot.state.journal import Finished, Reach
from pivot.state.merge import MOST_INFOS, Alive, RunCacheMerge, format_lines, newest_infos, read_lines
from pivot.state.record_closure import Name, folder_of, sweep
from pivot.state.records import MOST_INFO, MOST_RECORD, Info, Record, check_record, parse_info, parse_record
from pivot.state.shared_ref import SharedRef

REF = "refs/pivot/runs"
TRACKING = "runs"
TOP = re.compile("runs|code|reach|epoch")

_SHARD = re.compile(r"[0-9a-f]{2}")
_FOLDER = re.compile(r"([0-9a-f]{30})\.([0-9a-f]{12})")


class Found(Struct, frozen=True):
    """A record as it stands in the run cache; `RunCache.infos` tells about its runs."""

    record: Record
    fingerprint: str
    result: str


class RunCache:
    """Reads every tip that is here; `refresh` looks at the refs again.

    `refused` collects a sentence for each record that was not believed, or of which only the name is here.
    """

    def __init__(self, backend: Backend, *, ref: str = REF, tracking: str = TRACKING) -> None:
        """Another `ref` is a run cache of its own; without `tracking` no fetched tip counts."""
        self._backend = backend
        self._trees = Trees(backend)
        self._history = SharedRef(backend, ref, (tracking, TOP), self._trees)
        self._policy = RunCacheMerge(self._trees)
        self._roots: list[str] | None = None
        self.refused: list[str] = []

    def refresh(self) -> None:
        """Look at the refs again before the next look-up."""
        self._roots = None

    def lookup(self, fingerprint: str) -> list[Found]:
        """All results of a situation, sorted by result: none, one, or several for a stage that is not deterministic.

        Raises:
            UnknownVersion: a newer Pivot wrote the record.
        """
        found: dict[str, Found] = {}
        for entry, result in self._entries_of(fingerprint):
            if result not in found:
                held = self._read(entry, fingerprint, result)
                if held:
                    found[result] = held
        return [found[result] for result in sorted(found)]

    def infos(self, fingerprint: str, result: str) -> list[Info]:
        """What is said about the runs that gave this result, the newest first; damaged ones are left out."""
        blobs: set[str] = set()
        for entry, given in self._entries_of(fingerprint):
            try:
                infos = self._trees.folder(entry.oid, "info") if given == result else {}
            except LOST:
                continue
            blobs.update(info.oid for info in infos.values() if info.mode != TREE)
        return [info for info in newest_infos(self._trees, blobs).values() if info]

    def unreadable(self, fingerprint: str, result: str) -> Iterator[str]:
        """A sentence for each info of a record that is here and cannot be read."""
        for entry, given in self._entries_of(fingerprint):
            infos = self._trees.folder(entry.oid, "info") if given == result else {}
            for oid in sorted({info.oid for info in infos.values()}):
                try:
                    parse_info(self._trees.blob(oid, MOST_INFO))
                except (RecordError, UnreadableObject) as error:
                    yield f"details of a run of {fingerprint[:12]} are left out: {error.what}"
                except MissingObject:
                    continue

    def source(self, digest: str) -> str | None:
        """The source text of a manifest entry, or None where nobody kept it."""
        texts = self._at(f"code/{digest[:2]}/{digest}")
        return texts[0].decode("utf-8", "surrogatepass") if texts else None

    def reach(self, static_fingerprint: str) -> list[str]:
        """The project modules that runs of this static fingerprint imported beyond its manifest, sorted."""
        lists = self._at(f"reach/{static_fingerprint[:2]}/{static_fingerprint}")
        return sorted(set().union(*map(read_lines, lists)))

    def fingerprints(self, *, fetched: bool = True) -> Iterator[tuple[str, str]]:
        """Every fingerprint and result in the cache, unread; without `fetched` those of the local ref alone."""
        seen: set[tuple[str, str]] = set()
        tip = self._history.tip()
        for root in self._tips() if fetched else [self._backend.read_commit(tip).tree] if tip else []:
            for start, entry in self._trees.folder(root, "runs").items():
                if entry.mode == TREE and _SHARD.fullmatch(start):
                    seen.update(_names_in(start, self._trees.entries(entry.oid)))
        yield from sorted(seen)

    def added_since(self, old: str | None) -> Iterator[tuple[str, str]]:
        """The fingerprints and results that the local ref has and an older tip of it (None: there is none) has not."""
        tip = self._history.tip()
        if tip is None or tip == old:
            return
        before = self._trees.folder(self._backend.read_commit(old).tree, "runs") if self._is_here(old) else {}
        for start, shard in self._trees.folder(self._backend.read_commit(tip).tree, "runs").items():
            held = before.get(start)
            if shard.mode != TREE or not _SHARD.fullmatch(start) or (held and held.oid == shard.oid):
                continue
            known = self._trees.entries(held.oid) if held and held.mode == TREE else {}
            yield from _names_in(start, (name for name in self._trees.entries(shard.oid) if name not in known))

    def flush(self, entries: Sequence[Finished], message: str, author: Author) -> str | None:
        """Commit finished stages and what was fetched; gives the tip. Nothing is written where nothing is new.

        Raises:
            RefMoved: others kept the ref busy for ten seconds.
            GitError: the repository cannot be written.
        """
        self._history.absorb_tracked(self._policy, author)
        tip = self._history.commit(lambda tree: self._with(tree, entries), message, author) if entries else None
        self.refresh()
        return tip or self._history.tip()

    def absorb(self, tip: str, author: Author, alive: Alive | None = None) -> str:
        """Unite with a tip that was fetched, so that the local one can be pushed onto it; gives the new local tip.

        `alive` tells which of the records that others removed are in use here and stay; without it none does.
        """
        tip = self._history.absorb(tip, RunCacheMerge(self._trees, alive), author)
        self.refresh()
        return tip

    def drop(self, dead: Iterable[Name], message: str, author: Author) -> str | None:
        """Remove records, and all that no other record needs, by an ordinary commit, which other clones follow."""
        gone: dict[str, Content] = {folder_of(name): None for name in dead}
        tip = self._history.commit(lambda tree: sweep(self._trees, add_files(self._trees, tree, gone)), message, author)
        self.refresh()
        return tip

    def shortened(self, message: str, author: Author) -> str | None:
        """A commit that stands for the whole history of the run cache, to which nothing leads yet."""
        return self._history.shortened(message, author)

    def replaces(self, theirs: str) -> bool:
        """Whether a tip belongs to a history that was shortened here."""
        return self._history.replaces(theirs)

    def _is_here(self, commit: str | None) -> TypeGuard[str]:
        return bool(commit) and bool(self._backend.has([commit or ""]))

    def _tips(self) -> list[str]:
        if self._roots is None:
            self._roots = self._history.trees()
            for sentence in self._history.refused:
                self._refuse(sentence)
        return self._roots

    def _entries_of(self, fingerprint: str) -> Iterator[tuple[TreeEntry, str]]:
        start = fingerprint[2:] + "."
        for root in self._tips():
            for entry in self._starting(root, f"runs/{fingerprint[:2]}", start):
                if entry.mode == TREE:
                    yield entry, entry.name.removeprefix(start)

    def _starting(self, root: str, path: str, start: str) -> list[TreeEntry]:
        try:
            folder = self._trees.at(root, path)
            return self._trees.entries_from(folder.oid, start) if folder and folder.mode == TREE else []
        except MissingObject as error:
            self._refuse(f"a part of the run cache is not here: {error.what}; `git pivot fetch` brings it")
            return []
        except UnreadableObject as error:
            self._refuse(f"a part of the run cache is damaged: {error.what}")
            return []

    def _at(self, path: str) -> list[bytes]:
        """The blobs at a path, one for each tip that has it; what a filtered fetch left out is as if it were not."""
        found: dict[str, bytes] = {}
        for root in self._tips():
            with contextlib.suppress(*LOST):
                entry = self._trees.at(root, path)
                if entry and entry.mode != TREE and entry.oid not in found:
                    found[entry.oid] = self._trees.blob(entry.oid)
        return [found[oid] for oid in sorted(found)]

    def _refuse(self, sentence: str) -> None:
        if sentence not in self.refused:
            self.refused.append(sentence)

    def _read(self, folder: TreeEntry, fingerprint: str, result: str) -> Found | None:
        try:
            blob = self._trees.entries(folder.oid).get("record")
            if blob is None:
                raise RecordError("there is no record in it")
            record = parse_record(self._trees.blob(blob.oid, MOST_RECORD))
            check_record(record, fingerprint, result)
        except UnknownVersion:
            raise
        except MissingObject as error:
            self._refuse(f"the record {fingerprint[:12]} is not here: {error.what}; `git pivot fetch` brings it")
            return None
        except (RecordError, UnreadableObject) as error:
            self._refuse(f"the record {fingerprint[:12]} in the run cache is refused: {error.what}")
            return None
        return Found(record, fingerprint, result)

    def _with(self, tree: str | None, entries: Sequence[Finished]) -> str | None:
        """The tree with finished stages added, by the rules of the union."""
        files: dict[str, Content] = {}
        known: set[str] = set()  # folders of records that somebody has written before
        new: set[str] = set()
        for finished in entries:
            folder = folder_of((finished.record.fingerprint, finished.record.result))
            is_new = folder not in new and self._trees.at(tree, folder) is None
            (new if is_new else known).add(folder)
            held = None if is_new else tree
            self._put(files, held, f"{folder}/record", finished.record_bytes)
            info = finished.info_bytes
            self._put(files, held, f"{folder}/info/{object_id('blob', info, self._backend.algorithm)[:12]}", info)
            for digest, text in finished.sources.items():
                self._put(files, tree, f"code/{digest[:2]}/{digest}", text.encode("utf-8", "surrogatepass"))
            if finished.reach:
                self._widen(files, tree, finished.reach)
        return self._pruned(add_files(self._trees, tree, files), {f"{folder}/info" for folder in known})

    def _put(self, files: dict[str, Content], tree: str | None, path: str, data: bytes) -> None:
        """Add a blob, unless what stands there is to be preferred."""
        name = path.rpartition("/")[2]
        kept = TreeEntry(name, BLOB, self._trees.hold("blob", data))
        there, added = self._trees.at(tree, path), files.get(path)
        others = [there, TreeEntry(name, BLOB, added) if isinstance(added, str) else None]
        for other in others:
            if other and other.oid != kept.oid and other.mode != TREE:
                merged = self._policy.blob(path, kept, other)
                kept = merged if isinstance(merged, TreeEntry) else kept
        files[path] = kept.oid

    def _widen(self, files: dict[str, Content], tree: str | None, reach: Reach) -> None:
        path = f"reach/{reach.static_fingerprint[:2]}/{reach.static_fingerprint}"
        there, added = self._trees.at(tree, path), files.get(path)
        known = self._known_lines(there.oid) if there else set()
        known |= read_lines(added) if isinstance(added, bytes) else set()
        files[path] = format_lines(known | set(reach.modules))

    def _known_lines(self, oid: str) -> set[str]:
        """A reach list; one that is damaged is written again from what this run found."""
        try:
            return read_lines(self._trees.blob(oid))
        except UnreadableObject:
            return set()

    def _pruned(self, tree: str | None, folders: set[str]) -> str | None:
        """The tree with at most five infos in each of these folders."""
        surplus: dict[str, Content] = {}
        for folder in folders:
            if len(infos := self._trees.folder(tree, folder)) > MOST_INFOS:
                kept = self._policy.folder(folder, infos)
                surplus |= {f"{folder}/{name}": None for name in infos.keys() - kept.keys()}
        return add_files(self._trees, tree, surplus) if surplus else tree


def _names_in(start: str, names: Iterable[str]) -> Iterator[Name]:
    """The records of one folder of `runs`; what has another name than a record is none."""
    for found in filter(None, map(_FOLDER.fullmatch, names)):
        yield start + found[1], found[2]
