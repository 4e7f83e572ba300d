"""The store: a bare Git repository of outputs, with large files beside the objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pivot.errors import DamagedObject, MissingObject, StoreError
from pivot.git.odb.backend import BLOB, TREE, TreeEntry
from pivot.git.output_tree import encode_tree, nest
from pivot.store.exchange import Exchange
from pivot.store.odb.git_objects import Presence, SmallObjects, object_of, pointer_of
from pivot.store.odb.large_files import LargeFiles
from pivot.store.odb.layout import IN_WORK_TREE, KEPT, RECENT, create, in_words, is_marked, lock_store, mark
from pivot.store.odb.narrow import NarrowModes, narrowed
from pivot.store.odb.objects import MOST_DEPTH, Object, ObjectProblem, Pointer, object_id, parse_pointer
from pivot.store.odb.pack_writer import NewObjects, encode
from pivot.store.odb.stat_cache import StatCache
from pivot.store.odb.store_format import recognise
from pivot.store.prune import DAY, Pruned, prune
from pivot.store.worktree import snapshot
from pivot.store.worktree.ingest import Keep, take_all
from pivot.store.worktree.restore import Restorer, learn
from pivot.store.worktree.scan import DirectoryNode, FileNode, Scanner


class Store:
    """Outputs by object id. Opening costs nothing; the folder is made when something is first written."""

    def __init__(self, path: Path, link: str, base: Path | None = None) -> None:
        self.path = path
        self.link = link
        self._small = SmallObjects(str(path), SmallObjects(str(base)) if base else None)
        self._large = LargeFiles(str(path), link, self._keep_pointer, f"{base}/large" if base else "")
        self._narrow = NarrowModes(str(path), str(base) if base else "")
        self._presence = Presence(self._small, self._large)

    @classmethod
    def open(cls, path: Path, *, create: bool = True, link: str = "auto", base: Path | None = None) -> Store:
        """The store at `path`; `link` says how large files get in and out: auto, reflink, hardlink or copy.

        `base` is another store that is only read, for what this one lacks.

        Raises:
            SettingError: an unknown `link`.
            StoreError: it must not be created and is not there, or something else stands at its place.
        """
        if path.is_file() or (not create and not (path / "objects").is_dir()):
            raise StoreError(f"there is no store at {path}{', but a file' if path.is_file() else ''}")
        return cls(Path(os.path.abspath(path)), link, base)

    def identify(self, path: Path, stats: StatCache, *, follow: bool = False) -> Object:
        """What is at `path`; nothing is stored. With `follow` a symlink counts as what it points to, as for an input.

        Raises:
            InputError: it is not there, cannot be read, or changes meanwhile.
            UnsafePath: it is, or holds, what no output may be.
        """
        return snapshot.identify(os.path.abspath(path), stats, follow=follow)

    def put(self, path: Path, stats: StatCache) -> Object:
        """Store a file, a directory or a symlink; large files by link where possible, and then made read-only.

        Raises:
            InputError: it is not there, cannot be read, or changes meanwhile.
            UnsafePath: it is, or holds, what no output may be.
        """
        with self._adding():
            scanner = Scanner(stats, self._presence.tree)
            node = snapshot.look(os.path.abspath(path), scanner, follow=False)
            if isinstance(node, DirectoryNode):
                self._keep_directory(node, scanner)
            else:
                self._keep_file(node, stats)
            held = snapshot.object_at(node)
            self._note_narrow(node)
            mark(str(self.path), RECENT, held.id, held.mode)
        return held

    def put_tree(self, outs: Mapping[str, Object]) -> str:
        """Store the tree of outputs by repository-relative path; its id."""
        return self.put_trees([outs])[0]

    def put_trees(self, many: Iterable[Mapping[str, Object]], files: Iterable[bytes] = ()) -> list[str]:
        """The same for several at once, with small files that are in them, which costs one batch."""
        new: list[tuple[bytes, bytes]] = [(b"blob", data) for data in files]
        trees = [nest(outs, lambda oid, data: new.append((b"tree", data))) for outs in many]
        marked = trees[0] if len(trees) == 1 else object_id(*_roll(trees))  # one mark does for all
        with self._adding():
            self._write(list(dict.fromkeys(new if len(trees) == 1 else [*new, _roll(trees)])))
            mark(str(self.path), RECENT, marked, TREE)
        return trees

    def tree_id(self, outs: Mapping[str, Object]) -> str:
        """The id that `put_tree` gives, without writing."""
        return nest(outs, lambda oid, data: None)

    def has(self, obj: Object) -> bool:
        """Is all of it here: the tree, its blobs, the large files with their sizes? No content is hashed."""
        return self._presence.tree(obj.id) if obj.mode == TREE else self._presence.blob(obj.id)

    def restore(
        self, obj: Object, path: Path, stats: StatCache, *, root: Path | None = None, scratch: Sequence[str] = ()
    ) -> list[tuple[str, Object]]:
        """Make `path` equal to an object: only what differs is written, and no link below `root` is followed.

        Without `root` that is the nearest folder above which is there. `scratch` are folders in which new files may
        wait to be renamed into place. Bytes that are there and nowhere in the store are put into it first; these are
        returned by path.

        Raises:
            MissingObject: the store lacks some of it (nothing was changed then).
            DamagedObject: some of it turned out to be other bytes.
            UnsafePath: something stands there that cannot be kept, such as a socket; or a link is on the way.
        """
        target = os.path.abspath(path)
        top = os.path.abspath(root) if root else _nearest_folder(os.path.dirname(target))
        if os.path.lexists(target) and _same(snapshot.identify(target, stats, follow=False), obj):
            return []
        if not self.has(obj):
            raise MissingObject(f"the store does not have {obj.id}, which belongs at {path}", hint="git pivot pull")
        now = snapshot.standing(target, stats)
        kept = self._rescue(now)
        with in_words(f"{path} cannot be restored", target, IN_WORK_TREE):
            restorer = Restorer.at(self._small, self._large, self._narrow, top, (f"{self.path}/tmp", *scratch))
            self._presence = Presence(self._small, self._large)  # reading may show that what it knows is damaged
            restorer.restore(obj, os.path.relpath(target, top), now)
            learn(obj, target, stats, restorer)
        return kept

    def unknown(self, path: Path, stats: StatCache) -> list[str]:
        """The files at or below `path` whose bytes are nowhere in the store; a symlink at `path` itself has none.

        An edit that the store itself had to save, and that nobody has logged, counts too.
        """
        now = None if os.path.islink(path) else snapshot.standing(os.path.abspath(path), stats)
        return [file.path for file in snapshot.files_of(now) if not self._is_known(file)]

    def check_folder(self) -> None:
        """Refuse a folder that is no store, before anything is written anywhere.

        Raises:
            StoreError: it is none.
        """
        with in_words("the store cannot be read", str(self.path)):
            if self.path.is_dir():
                recognise(str(self.path))

    def prune(self, roots: Iterable[Object], *, dry_run: bool = False, recent: float = DAY) -> Pruned:
        """Remove what neither `roots` nor what was stored in the last `recent` seconds reaches."""
        found = [(root.id, root.mode) for root in roots]
        with in_words("the store cannot be cleaned up", str(self.path)):
            done = prune(str(self.path), found, dry_run=dry_run, recent=recent)
        self._presence = Presence(self._small, self._large)
        return done

    def read(self, oid: str) -> bytes:
        """The bytes of a blob as it stands in Git: for a large file, its pointer.

        Raises:
            MissingObject, DamagedObject.
        """
        return self._small.blob(oid)

    def entries(self, tree_id: str) -> list[TreeEntry]:
        """One level of a directory.

        Raises:
            MissingObject, DamagedObject.
        """
        return self._small.tree(tree_id)

    def find(self, tree_id: str, relative_path: str) -> Object | None:
        """What stands at a path below a directory, or None."""
        oid, mode = tree_id, TREE
        for name in filter(None, relative_path.split("/")):
            if mode != TREE:
                return None
            entry = next((entry for entry in self._small.tree(oid) if entry.name == name), None)
            if entry is None:
                return None
            oid, mode = entry.oid, entry.mode
        return object_of(self._small, oid, mode)

    def large_path(self, oid: str) -> Path | None:
        """Where the bytes of a large file stand, if this blob is the pointer of one that is here."""
        header = self._small.header(oid)
        pointer = pointer_of(self._small, oid, header[1]) if header else None
        return Path(self._large.path(pointer.blake3)) if pointer and self._large.has(pointer) else None

    def exchange(self) -> Exchange:
        """What another store is given from here, and what comes from there."""
        return Exchange(str(self.path), self._small, self._large)

    def verify(self, obj: Object, known: dict[str, str] | None = None) -> list[ObjectProblem]:
        """Read every byte of an object and say what is missing or damaged.

        `known` is handed on from one call to the next, so that what several objects hold is read once.
        """
        states = {} if known is None else known
        problems: list[ObjectProblem] = []
        waiting = [(obj.id, obj.mode, "", 0)]
        named: set[str] = set()  # directories of this object: what is wrong below one is said at one of its places
        while waiting:
            oid, mode, path, depth = waiting.pop()
            entries = self._state(oid, mode, states)
            if mode == TREE and depth >= MOST_DEPTH:
                states[oid] = "damaged"
            if states[oid]:
                problems.append(ObjectProblem(oid, states[oid], path))
            elif oid not in named:
                named.update([oid] if mode == TREE else ())
                below = [(one.oid, one.mode, f"{path}/{one.name}".lstrip("/"), depth + 1) for one in entries]
                waiting += reversed(below)
        return problems

    def _state(self, oid: str, mode: int, known: dict[str, str]) -> list[TreeEntry]:
        """Find out whether an object is here and sound; the entries of a directory."""
        entries: list[TreeEntry] = []
        if not known.get(oid):
            try:
                entries = self._small.tree(oid) if mode == TREE else []
                known[oid] = "" if mode == TREE or oid in known else self._verify_file(oid)
            except MissingObject:
                known[oid] = "missing"
            except DamagedObject:
                known[oid] = "damaged"
        return entries

    def _verify_file(self, oid: str) -> str:
        pointer = parse_pointer(self._small.blob(oid))
        return (self._large.verify(pointer) if pointer else None) or ""

    def sizes(self, obj: Object, known: dict[str, int]) -> None:
        """Add to `known` the files of an object that are here: bytes by id. A tree that is in it counts as read."""
        waiting = [(obj.id, obj.mode)]
        while waiting:
            oid, mode = waiting.pop()
            if oid in known or not self._small.has(oid):
                continue
            known[oid] = 0
            if mode == TREE:
                waiting += [(entry.oid, entry.mode) for entry in self._small.tree(oid)]
            elif self._presence.blob(oid):
                known[oid] = object_of(self._small, oid, mode).size

    def _keep_directory(self, node: DirectoryNode, scanner: Scanner) -> None:
        with self._batch() as batch:
            self._keep_files(list(node.walk()), batch)
            scanner.finish(node, lambda tree, data: self._add_tree(batch, tree, data))

    def _keep_file(self, node: FileNode, stats: StatCache) -> None:
        node.oid = stats.lookup(node.path, node.stat)
        with self._batch() as batch:
            self._keep_files([node], batch)
        if node.read_at:
            stats.remember(node.path, node.stat, node.oid or "", node.read_at)

    def _keep_files(self, files: list[FileNode], batch: NewObjects) -> None:
        """Store those of `files` that the store lacks."""
        new = [file for file in files if file.oid is None or not self._presence.blob(file.oid)]
        take_all(new, Keep(self._small.has, self._large), batch.add)

    def _note_narrow(self, node: snapshot.Node) -> None:
        """Remember what others may not read, so that a restore makes it no wider."""
        for oid, mode in snapshot.permissions(node):
            if mask := narrowed(mode):
                self._narrow.note(oid, mask)

    def _rescue(self, now: snapshot.Node | None) -> list[tuple[str, Object]]:
        """Store the files at a path whose bytes are nowhere else."""
        files = [file for file in snapshot.files_of(now) if not self._presence.blob(file.oid or "")]
        if files:
            with self._adding():
                with self._batch() as batch:
                    self._keep_files(files, batch)
                for file in files:
                    self._note_narrow(file)
                    mark(str(self.path), KEPT, file.oid or "", file.mode)
        return [(file.path, snapshot.object_at(file)) for file in files]

    def _is_known(self, file: FileNode) -> bool:
        oid = file.oid or ""
        return self._presence.blob(oid) and not is_marked(str(self.path), KEPT, oid, file.mode)

    def _add_tree(self, batch: NewObjects, tree: str, data: bytes) -> None:
        if not self._small.has(tree):
            batch.add(encode(b"tree", data, tree))

    def _write(self, new: list[tuple[bytes, bytes]]) -> None:
        with self._batch() as batch:
            for kind, data in new:
                entry = encode(kind, data)
                if not self._small.has(entry.oid):
                    batch.add(entry)

    @contextmanager
    def _adding(self) -> Iterator[None]:
        """Nothing that is added here, or found to be here already, is cleaned up meanwhile."""
        with in_words("the store cannot be written to", str(self.path)):
            create(str(self.path))
            with lock_store(str(self.path), alone=False):
                yield

    @contextmanager
    def _batch(self) -> Iterator[NewObjects]:
        batch = self._small.batch()
        try:
            yield batch
            batch.finish()
        except BaseException:
            batch.abandon()
            raise

    def _keep_pointer(self, pointer: Pointer) -> None:
        self._write([(b"blob", pointer.to_bytes())])
        mark(str(self.path), KEPT, pointer.id, BLOB)


def _roll(trees: Iterable[str]) -> tuple[bytes, bytes]:
    """A tree of these trees: kind and bytes."""
    return b"tree", encode_tree(TreeEntry(tree, TREE, tree) for tree in set(trees))


def _nearest_folder(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _same(one: Object, other: Object) -> bool:
    return (one.id, one.mode) == (other.id, other.mode)
