"""The formats that are stored or received: valid samples of each, and the reader that must take whatever comes."""

from __future__ import annotations

import marshal
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from pivot.errors import PivotError
from pivot.git.odb import objects
from pivot.git.odb.backend import BLOB, TREE, TreeEntry
from pivot.git.odb.loose_reader import Damaged, TooLarge, inflate
from pivot.noop import cache
from pivot.plan.known_results import LastResults
from pivot.state import accepted, journal, notes, records, rewrite_marker
from pivot.state.merge import read_lines
from pivot.state.noted_trees import NotedTrees
from pivot.store.odb import stat_cache
from pivot.store.odb import tree_format as store_trees
from pivot.store.odb.objects import Pointer, object_id, parse_pointer
from pivot.store.odb.pack_reader import Pack
from pivot.store.worktree.saved_edits import Saved
from pivot.sync.remote.batch_sessions import CheckSession, ReadSession
from pivot.sync.remote.channel import ProgramExit
from pivot.sync.remote.maintenance import Upkeep
from pivot.sync.remote.shell_scripts import READY
from pivot.worker.protocol import FrameReader, FromServer, FromStage, ProtocolError, Put, StageDone, encode
from tests.support.samples import finished, info, record

REFUSALS = (PivotError, ProtocolError, Damaged, TooLarge)
"""What a reader may raise: anything else is a fault."""

OID = "a" * 40
FOLDER = Path(tempfile.gettempdir())


class Format(NamedTuple):
    samples: tuple[bytes, ...]
    read: Callable[[bytes], object]


def check_record(data: bytes) -> None:
    found = records.parse_record(data)
    assert found.static_fingerprint
    records.check_record(found, found.fingerprint, found.result)
    assert records.parse_record(found.to_bytes()) == found


def in_file(use: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            use(path)

    return read


def read_saved(path: Path) -> None:
    saved = Saved(path)
    assert all(entry.object.size >= 0 for entry in saved.entries())
    saved.left_at(OID)


def read_last(path: Path) -> None:
    last = LastResults(path)
    assert all(isinstance(one, str) for one in (*last.by_stage, *last.failed))


def read_stats(path: Path) -> None:
    stats = stat_cache.StatCache.open(path)
    stats.lookup("/a", path.stat())
    if level := stats.level("/b"):
        assert len(level) == 4


def read_settled(path: Path) -> None:
    cache._read(str(path))


class NoBackend:
    algorithm = "sha1"

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir

    def has(self, _oids: object) -> set[str]:
        return set()


def read_noted(path: Path) -> None:
    index = NotedTrees(NoBackend(path.parents[2]), lambda _folder: [])  # type: ignore[arg-type]
    assert isinstance(index.commits(["b" * 40], OID), list)


def read_journal(path: Path) -> None:
    journal.Journal(path).pending()


def read_pack(data: bytes) -> None:
    """The sizes of the two files stand in front, so that both are changed."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        half = int.from_bytes(data[:4], "big") % (len(data) + 1)
        (Path(folder) / "p.idx").write_bytes(data[4:half])
        (Path(folder) / "p.pack").write_bytes(data[half:])
        pack = Pack(f"{folder}/p.idx")
        for oid in pack.ids()[:20]:
            offset = pack.find(bytes.fromhex(oid))
            if offset is not None:
                pack.header(offset)
                pack.read(offset)


def pack_sample() -> bytes:
    import subprocess

    with tempfile.TemporaryDirectory() as folder:

        def git(*args: str, stdin: bytes = b"") -> bytes:
            command = ["git", "-C", folder, *args]
            return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

        git("init", "--quiet")
        texts = [b"line\n" * 200, b"line\n" * 200 + b"another\n", b"third\n" * 9]
        oids = b"".join(git("hash-object", "-w", "--stdin", stdin=text) for text in texts)
        git("pack-objects", "-q", f"{folder}/p", stdin=oids)
        index = next(Path(folder).glob("p-*.idx"))
        data = index.read_bytes()
        return (len(data) + 4).to_bytes(4, "big") + data + index.with_suffix(".pack").read_bytes()


class Answer:
    """A channel to a host that says what somebody wants."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def write(self, data: object) -> None:
        return None

    def end(self) -> None:
        return None

    def read(self, count: int) -> bytes:
        block, self._data = self._data[:count], self._data[count:]
        return block

    def finish(self) -> ProgramExit:
        return ProgramExit(1, "gone")

    def close(self) -> None:
        return None


def hear_anchor(data: bytes) -> None:
    anchor = CheckSession(Answer(data), "host")  # type: ignore[arg-type]
    if anchor.ready:
        anchor.sizes([OID, "b" * 40])


def hear_reader(data: bytes) -> None:
    oid = object_id(b"blob", b"text")
    found = ReadSession(Answer(data), "host").read([oid, OID])  # type: ignore[arg-type]
    assert found in ({}, {oid: b"text"})


def hear_upkeep(data: bytes) -> None:
    upkeep = Upkeep("store", lambda _command, _data: data)
    for question in (upkeep.objects, upkeep.origins, lambda: upkeep.files(9), lambda: upkeep.leftovers(9)):
        question()
    upkeep.marks(9)
    upkeep.packed(["objects/pack/a.idx"])
    upkeep.repack([OID])


def crc(value: list[Any]) -> bytes:
    data = marshal.dumps(value)
    return zlib.crc32(data).to_bytes(4, "big") + data


def frames(kinds: object) -> Callable[[bytes], object]:
    return lambda data: FrameReader(kinds, 1 << 20).feed(data)


def noted_sample() -> bytes:
    rest = f"d {'b' * 40}\na {OID}\n{OID} {'c' * 40}\n".encode()
    return b"pivot noted 1 " + xxhash.xxh3_128_hexdigest(rest).encode() + b"\n" + rest


ENTRIES = [TreeEntry("file", BLOB, OID), TreeEntry("folder", TREE, "b" * 40)]
STATS = marshal.dumps(({"/a": (1, 2, 3, 4, OID)}, {"/b": (b"rows", b"ids", OID, 5)}), 2)
DONE = StageDone({"out": Put(OID, BLOB, 3)}, 1.0, ["a.py"], [], {"HOME": None}, STATS, ["w"], {OID: b"bytes"})
NOTE = b"train %s %s %s out/a=%s\nprep stale %s\n" % (b"a" * 32, b"b" * 12, b"c" * 12, OID.encode(), b"c" * 12)
ACCEPTED = accepted.Acceptance("a" * 32, "train", "b" * 32, "c" * 12, "ada", "2026-01-01T00:00:00", "why").to_bytes()
SAVED = b'{"id":"%s","mode":33188,"path":"out","size":3,"time":"2026-01-01T00:00:00+00:00","why":"x"}\n' % OID.encode()
GREETING = f"{READY}[] git version 2.39.5\n".encode() if isinstance(READY, str) else READY + b"[] git version 2.39.5\n"

FORMATS: dict[str, Format] = {
    "record": Format((record(1).to_bytes(),), check_record),
    "info": Format((info().to_bytes(),), records.parse_info),
    "note": Format((NOTE,), notes.parse_note),
    "note-line": Format(tuple(NOTE.splitlines()), notes.parse_line),
    "accepted": Format((ACCEPTED,), lambda data: accepted._parse("a" * 32, data)),
    "reach": Format((b"late.py\nsub/more.py\n",), read_lines),
    "epoch": Format((rewrite_marker.format_epoch([OID, "b" * 40]),), rewrite_marker.parse_epoch),
    "pointer": Format((Pointer("a" * 64, 1 << 20).to_bytes(),), parse_pointer),
    "git-tree": Format((objects.format_tree(ENTRIES),), lambda data: objects.parse_tree(data, "sha1")),
    "store-tree": Format((objects.format_tree(ENTRIES),), store_trees.parse_tree),
    "commit": Format((f"tree {OID}\nparent {OID}\nauthor a <b> 1 +0000\n\nm\n".encode(),), objects.parse_commit),
    "loose": Format((zlib.compress(b"blob 4\0text"), zlib.compress(b"tree 0\0")), lambda data: inflate(data, 1 << 20)),
    "pack": Format((pack_sample(),), read_pack),
    "journal": Format(
        (journal.format_line(finished(1, modules=("late.py",))) + b"\n",), in_file(read_journal, "journal")
    ),
    "saved": Format((SAVED,), in_file(read_saved, "saved")),
    "last": Format((b'{"results":{"train":["a","b"]},"failed":["prep"]}',), in_file(read_last, "last")),
    "stat-cache": Format(
        (b"pivot stat cache 1\n" + zlib.crc32(STATS).to_bytes(4, "big") + STATS,), in_file(read_stats, "stat")
    ),
    "no-op-cache": Format(
        (crc(["pivot settled 3", "/g", 1, "r", {"A": "b"}, {"/f": (1, 2, 3, 4)}, {"status": ("a", "b")}]),),
        in_file(read_settled, "settled"),
    ),
    "noted-cache": Format((noted_sample(),), in_file(read_noted, "git/pivot/cache/noted")),
    "stage-message": Format((encode(DONE),), frames(FromStage)),
    "server-message": Format((encode(DONE), b"\0\0\0\1\x80"), frames(FromServer)),
    "remote-greeting": Format((GREETING + f"{OID} blob 4\n{'b' * 40} missing\n".encode(),), hear_anchor),
    "remote-objects": Format((f"{object_id(b'blob', b'text')} blob 4\ntext\n{OID} missing\n".encode(),), hear_reader),
    "remote-lists": Format(
        (f"{OID} blob 4 14\n".encode(), b"-r--r--r-- 1 0 0 14 Jan  1 00:00 objects/aa/bb\nold\n", OID.encode() + b"\n"),
        hear_upkeep,
    ),
}


def names() -> Iterator[str]:
    yield from FORMATS
