"""Places for a remote's store, and the invariant that every test of remotes states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pivot.store import Object, StatCache, Store
from pivot.store.exchange import Root
from pivot.sync.remote import Remote
from pivot.sync.transfer import Transfer
from tests.store.shelf import git, write

LARGE_SIZE = 3 << 20
OUTPUT = {
    "part": {f"{number:03}.csv": b"%d,a\n" % number * 40 for number in range(120)},
    "large": bytes(range(256)) * (LARGE_SIZE // 256) + b"end",
    "empty": {},
    "link": "part",
}


@dataclass
class Host:
    """A machine that holds a remote's store at `store`, as its own disk shows it; `connect` gives a new `Remote`."""

    store: Path
    connect: Callable[[], Remote]
    opened: list[Transfer] = field(default_factory=list)

    def transfer(self, store: Store, writer: str = "one") -> Transfer:
        transfer = Transfer(store, self.connect(), writer)
        self.opened.append(transfer)
        return transfer

    def push(self, store: Store, *objects: Object, writer: str = "one") -> int:
        """Give objects; how many bytes went over the line."""
        with self.transfer(store, writer) as transfer:
            return transfer.send(transfer.plan_send(map(root, objects))).wire

    def pull(self, store: Store, *objects: Object) -> int:
        with self.transfer(store) as transfer:
            return transfer.receive(transfer.plan_receive(map(root, objects))).wire

    def assert_sound(self, *held: Object) -> None:
        """Git and Pivot read the store there, and it has all of these objects, with the right bytes."""
        done = git("--git-dir", str(self.store), "fsck", "--full", "--strict", "--no-dangling")
        assert done.returncode == 0, done.stderr
        there = Store.open(self.store)
        assert [there.verify(one) for one in held] == [[] for _ in held]


class Clones:
    """Stores of several clones, each with a work tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stats = StatCache.open(folder / "no such file")

    def store(self, name: str) -> Store:
        return Store.open(self._folder / name / "store.git", link="copy")

    def put(self, store: Store, content: object, name: str = "out") -> Object:
        path = self._folder / "work" / name
        write(path, content)  # type: ignore[arg-type]
        return store.put(path, self.stats)


def root(held: Object, path: str = "out") -> Root:
    return Root(held.id, held.mode, path)
