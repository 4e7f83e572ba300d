"""A store with a work tree beside it, and the invariants that most tests of the store state."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pivot.store import Object, StatCache, Store
from pivot.store.odb.objects import LARGE

BIG = b"0123456789abcdef" * (LARGE // 16) + b"tail"
POINTER_LOOKALIKE = b"pivot large file 1\nblake3 " + b"a" * 64 + b"\nsize 3\n"

Tree = Mapping[str, "bytes | str | Tree"]  # a str is a symlink's target


@dataclass(slots=True)
class Shelf:
    """`work` is the work tree; `stats` the stat cache of it."""

    work: Path
    store: Store
    stats: StatCache

    def make(self, name: str, content: bytes | Tree) -> Path:
        """Make a file or directory in the work tree, aged so that the stat cache may trust it."""
        path = self.work / name
        write(path, content)
        return path

    def put(self, path: Path) -> Object:
        return self.store.put(path, self.stats)

    def restore(self, obj: Object, path: Path) -> list[tuple[str, Object]]:
        return self.store.restore(obj, path, self.stats)

    def fresh(self) -> StatCache:
        """A stat cache that knows nothing."""
        return StatCache.open(self.work / "no such file")

    def reopened(self) -> Store:
        """The same store, as the next command sees it."""
        return Store.open(self.store.path, link=self.store.link)

    def assert_is(self, path: Path, obj: Object) -> None:
        """`path` holds exactly the bytes of `obj`, whatever the stat cache says, and the cache says so too."""
        assert self.store.identify(path, self.fresh()) == obj
        assert self.store.identify(path, self.stats) == obj

    def assert_whole(self, obj: Object) -> None:
        """The store has all of an object, with the right bytes, by its own account and by Git's."""
        assert self.reopened().has(obj)
        assert self.reopened().verify(obj) == []
        self.assert_git_agrees()

    def assert_git_agrees(self) -> None:
        done = git("--git-dir", str(self.store.path), "fsck", "--full", "--strict", "--no-dangling")
        assert done.returncode == 0, done.stderr

    def assert_nothing_left_over(self) -> None:
        left = [path for top in (self.work, self.store.path) for path in top.rglob(".pivot-tmp-*")]
        assert left == []


def git(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def write(path: Path, content: bytes | str | Tree) -> None:
    if isinstance(content, bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        age(path)
    elif isinstance(content, str):
        path.symlink_to(content)
    else:
        path.mkdir(parents=True, exist_ok=True)
        for name, inner in content.items():
            write(path / name, inner)


def snapshot(path: Path) -> bytes | str | Tree:
    """The inverse of `write`."""
    if path.is_symlink():
        return str(path.readlink())
    if path.is_dir():
        return {child.name: snapshot(child) for child in path.iterdir()}
    return path.read_bytes()


def age(path: Path) -> None:
    """Move a file's mtime some seconds back, out of reach of the rule for racy timestamps."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 5_000_000_000))


def many(count: int, size: int = 40) -> Tree:
    return {f"file{number:04}": b"%d " % number * size for number in range(count)}
