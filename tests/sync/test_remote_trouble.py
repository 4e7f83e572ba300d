"""What remotes do when something is in the way: each time a sentence, and both sides stay good."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pivot.errors import PivotError, RemoteError
from tests.sync.conftest import make_host
from tests.sync.hosts import OUTPUT, Clones, Host, root

TOOLS = ("sh", "ls", "cat", "mkdir", "mv", "env")
BIG = random.Random(6).randbytes(6 << 20)
SMALL = {f"file{number:03}": random.Random(number).randbytes(20_000) for number in range(150)}
CUTS = 10


def test_a_push_cut_off_ten_times_goes_on_where_it_was(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, BIG)
    chance = random.Random(7)
    for _ in range(CUTS):
        there = part_size(host)
        host.cut_after, host.written = chance.randrange(1000, len(BIG) - there), 0
        with pytest.raises(PivotError):
            host.push(one, held)
        host.start()
    there = part_size(host)
    host.cut_after, host.written = None, 0
    host.push(one, held)
    assert host.written < len(BIG) - there + 10_000  # beside the file: commands, and its pointer
    host.assert_sound(held)


def part_size(host: Host) -> int:
    return sum(path.stat().st_size for path in host.store.glob("tmp/.pivot-tmp-*"))


def test_a_push_of_small_files_that_was_cut_off_is_repeated(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, SMALL)
    host.cut_after = 500_000
    with pytest.raises(PivotError):
        host.push(one, held)
    host.start()
    host.cut_after = None
    host.push(one, held)
    host.assert_sound(held)


def test_a_pull_that_was_cut_off_brings_only_the_rest(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, BIG)
    host.push(one, held)
    with two.exchange().adding(()):
        name = next(iter(one.exchange().closure([root(held)]).large.values())).blake3
        (two.path / "tmp" / f".pivot-tmp-incoming-{name}").write_bytes(BIG[: 5 << 20])
    assert host.pull(two, held) < (1 << 20) + 10_000
    assert two.verify(held) == []


def test_a_partial_file_with_other_bytes_is_sent_anew(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, BIG)
    host.cut_after = 3 << 20
    with pytest.raises(PivotError):
        host.push(one, held)
    host.start()
    host.cut_after = None
    for part in host.store.glob("tmp/.pivot-tmp-*"):
        part.write_bytes(b"x" * part.stat().st_size)
    host.push(one, held)
    host.assert_sound(held)


def test_twenty_pushers_at_once_lose_nothing(host: Host, clones: Clones) -> None:
    stores = [clones.store(f"store{number}") for number in range(20)]
    shared = {f"shared{number}": b"%d" % number * 999 for number in range(5)}
    held = [
        clones.put(store, {**shared, "own": b"%d" % number, "large": OUTPUT["large"]}, f"out{number}")
        for number, store in enumerate(stores)
    ]
    failed: list[BaseException] = []

    def push(number: int) -> None:
        try:
            host.push(stores[number], held[number], writer=f"w{number}")
        except BaseException as error:
            failed.append(error)

    pushers = [threading.Thread(target=push, args=(number,)) for number in range(20)]
    for pusher in pushers:
        pusher.start()
    for pusher in pushers:
        pusher.join()
    assert not failed
    host.assert_sound(*held)


def test_a_host_without_git_is_named_in_one_sentence(host: Host, clones: Clones, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    host.wrap("/usr/bin/env", f"PATH={tools}")
    one = clones.store("one")
    with pytest.raises(RemoteError, match="has no git"):
        host.push(one, clones.put(one, b"pushed"))


def test_a_folder_that_may_only_be_read_is_named(host: Host, clones: Clones) -> None:
    if os.geteuid() == 0:
        if subprocess.run(["unshare", "-U", "true"], check=False, capture_output=True).returncode:
            pytest.skip("root may write everywhere, and cannot give that up here")
        host.wrap("unshare", "-U", "/usr/bin/env", f"PATH={os.environ['PATH']}")
    host.store.parent.mkdir(exist_ok=True)
    host.store.parent.chmod(0o555)
    one = clones.store("one")
    with pytest.raises(RemoteError, match="ermission denied"):
        host.push(one, clones.put(one, b"pushed"))
    host.store.parent.chmod(0o755)


@pytest.fixture
def small_disk(host: Host) -> Iterator[str]:
    """The host's folder on a disk of 2 MiB of its own, in a namespace that is gone with the process that holds it."""
    folder = host.store.parent
    folder.mkdir(exist_ok=True)
    script = f"mount -t tmpfs -o size=2m none {folder} && echo ready && exec sleep 600"
    holder = subprocess.Popen(
        ["unshare", "-Urm", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert holder.stdout
    if holder.stdout.readline() != b"ready\n":
        pytest.skip("no small disk can be mounted here")
    enter = ("nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials")
    host.wrap(*enter)
    yield " ".join([*enter, "mount", "-o", "remount,size=64m", str(folder)])
    if host.server:
        host.server.kill()
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("content", [BIG, SMALL], ids=["large", "small"])
def test_a_full_disk_is_named_and_the_push_goes_on_when_there_is_room(
    host: Host, clones: Clones, small_disk: str, content: bytes
) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, content)
    with pytest.raises(RemoteError, match=r"the disk of .* is full"):
        host.push(one, held)
    subprocess.run(small_disk.split(), check=True)
    host.push(one, held)
    host.pull(two, held)
    assert two.verify(held) == []


@pytest.fixture(params=["server in this process", "sshd by ssh"])
def stranger(request: pytest.FixtureRequest, tmp_path: Path, keys: Path) -> Iterator[Host]:
    """A host over SSH."""
    host = make_host(request.param, tmp_path, keys)
    yield host
    assert host.server
    host.server.kill()


@pytest.mark.parametrize(
    "identity, host_key, said",
    [
        ("stranger", "host", "does not let .* in"),
        ("user", "stranger", "is another than the one that is known"),
        ("user", "", "is not known"),
    ],
)
def test_wrong_keys_are_refused(stranger: Host, clones: Clones, identity: str, host_key: str, said: str) -> None:
    stranger.configure(identity, host_key)
    one = clones.store("one")
    with pytest.raises(RemoteError, match=said):
        stranger.push(one, clones.put(one, b"pushed"))
    assert not stranger.store.exists()


def test_a_host_that_is_down_is_named(stranger: Host, clones: Clones) -> None:
    assert stranger.server
    stranger.server.kill()
    one = clones.store("one")
    with pytest.raises(RemoteError, match=r"cannot be reached|broke"):
        stranger.push(one, clones.put(one, b"pushed"))
