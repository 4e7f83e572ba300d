"""Places for a remote's store, and the invariant that every test of remotes states."""

from __future__ import annotations

import getpass
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pivot.errors import ConnectionLost
from pivot.store import Object, StatCache, Store
from pivot.store.exchange import WantedRoot
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.channel import Channel, Connection, LocalShell, copy_file
from pivot.sync.remote.remote import Remote
from pivot.sync.remote.shell_remote import HostRemote
from pivot.sync.remote.ssh.openssh_connection import ProgramConnection
from pivot.sync.remote.ssh.paramiko_connection import EmbeddedConnection
from pivot.sync.remote.ssh.settings import SshSettings
from pivot.sync.remote.ssh.target import find_target
from pivot.sync.transfer.transfer import Transfer
from pivot.sync.transfer.upload import Manner
from tests.store.shelf import git, write

LARGE_SIZE = 3 << 20
OUTPUT = {
    "part": {f"{number:03}.csv": b"%d,a\n" % number * 40 for number in range(120)},
    "large": bytes(range(256)) * (LARGE_SIZE // 256) + b"end",
    "empty": {},
    "link": "part",
}


class Server(Protocol):
    """What listens on a host."""

    port: int
    prefix: list[str]  # what every command there is run under

    def start(self) -> None: ...

    def kill(self) -> None: ...


@dataclass
class Host:
    """A machine that holds a remote's store at `store`, as its own disk shows it.

    `way` is how it is reached: `shell` (a folder), `program` or `paramiko`; `folder` is where the client has its keys.
    """

    store: Path
    way: str
    folder: Path
    server: Server | None = None
    prefix: list[str] = field(default_factory=list)
    is_down: bool = False
    cut_after: int | None = None  # bytes of large files until the host goes down
    written: int = 0

    def wrap(self, *prefix: str) -> None:
        """Run everything on the host under another command from now on."""
        self.prefix = list(prefix)
        if self.server:
            self.server.kill()
            self.server.prefix = list(prefix)
            self.server.start()

    def kill(self) -> None:
        """The host goes down with all that runs there."""
        self.is_down = True
        if self.server:
            self.server.kill()

    def start(self) -> None:
        self.is_down = False
        if self.server:
            self.server.start()

    def connect(self) -> Remote:
        """A new remote; nothing is connected yet."""
        remote = HostRemote("lab", self.url, str(self.store), self.connection)
        remote.pause = 0.001
        return remote

    @property
    def url(self) -> str:
        return f"file://{self.store}" if self.server is None else f"lab:{self.store}"

    @property
    def settings(self) -> SshSettings:
        return SshSettings("lab", config_file=str(self.folder / "config"), timeout=60)

    def connection(self) -> Connection:
        if self.is_down:
            raise ConnectionLost("the host is down")
        return _Watched(self._connection(), self)

    def _connection(self) -> Connection:
        if self.server is None:
            return _WrappedShell(self.prefix)
        address = parse_address(self.url, self.folder)
        if self.way == "program":
            return ProgramConnection(address, self.settings)
        return EmbeddedConnection(find_target(address, self.settings), 60, lambda file: None)

    def configure(self, identity: str = "user", host_key: str = "host") -> None:
        """Write what the client knows: with which key it comes, and which one it takes for the host's."""
        if self.server is None:
            return
        known = f"[127.0.0.1]:{self.server.port} {(self.folder / f'{host_key}.pub').read_text()}" if host_key else ""
        (self.folder / "known_hosts").write_text(known)
        (self.folder / "config").write_text(
            f"Host lab\n HostName 127.0.0.1\n Port {self.server.port}\n User {getpass.getuser()}\n"
            f" IdentityFile {self.folder}/{identity}\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {self.folder}/known_hosts\n GlobalKnownHostsFile /dev/null\n"
        )

    def transfer(self, store: Store, writer: str = "one", origins: tuple[str, ...] = ()) -> Transfer:
        return Transfer(store, self.connect(), Manner(writer, lambda event: None, 4, origins))

    def push(self, store: Store, *objects: Object, writer: str = "one") -> int:
        """Give objects; how many bytes went over the line."""
        with self.transfer(store, writer) as transfer:
            return transfer.send(transfer.plan_send(map(root, objects))).wire

    def pull(self, store: Store, *objects: Object) -> int:
        with self.transfer(store) as transfer:
            return transfer.receive(transfer.plan_receive(map(root, objects))).wire

    def age_marks(self) -> None:
        """Who has pushed did so long ago."""
        for mark in (self.store / "recent").iterdir():
            os.utime(mark, (0, 0))

    def packed(self) -> int:
        """How many objects stand in packs."""
        counted = git("--git-dir", str(self.store), "count-objects", "-v").stdout
        return int(dict(line.split(": ") for line in counted.splitlines())["in-pack"])

    def assert_sound(self, *held: Object) -> None:
        """Git and Pivot read the store there, and it has all of these objects, with the right bytes."""
        done = git("--git-dir", str(self.store), "fsck", "--full", "--strict", "--no-dangling")
        assert done.returncode == 0, done.stderr
        there = Store.open(self.store)
        assert [there.verify(one) for one in held] == [[] for _ in held]


class _WrappedShell(LocalShell):
    def __init__(self, prefix: list[str]) -> None:
        super().__init__()
        self._prefix = prefix

    def start(self, command: str) -> Channel:
        return super().start(shlex.join([*self._prefix, "sh", "-c", command]))


@dataclass
class _Watched:
    """Counts what goes to the host, and takes the host down when it has been enough."""

    inner: Connection
    host: Host

    def start(self, command: str) -> Channel:
        return _WatchedChannel(self.inner.start(command), self)

    def close(self) -> None:
        self.inner.close()


class _WatchedChannel:
    def __init__(self, inner: Channel, way: _Watched) -> None:
        self._way = way
        self._inner = inner
        self.end, self.read, self.finish, self.close = inner.end, inner.read, inner.finish, inner.close

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        return copy_file(self, descriptor, offset, count)

    def write(self, data: bytes | memoryview) -> None:
        host = self._way.host
        room = len(data) if host.cut_after is None else host.cut_after - host.written
        self._inner.write(memoryview(data)[:room])
        host.written += min(room, len(data))
        if room < len(data) and not host.is_down:
            host.kill()
            self._way.close()


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


def root(held: Object, path: str = "out") -> WantedRoot:
    return WantedRoot(held.id, held.mode, path)


def make_keys(folder: Path) -> None:
    """A host's key, a user's, and one that nobody knows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user", "stranger"):
        key = ed25519.Ed25519PrivateKey.generate()
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        (folder / name).chmod(0o600)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        (folder / f"{name}.pub").write_bytes(public + b"\n")
