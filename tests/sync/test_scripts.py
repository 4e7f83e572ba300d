"""What runs on a host: with and without a Python there."""

from __future__ import annotations

import hashlib
import random
import subprocess
from pathlib import Path

import pytest

from pivot.sync.remote import shell_scripts

DATA = random.Random(9).randbytes(700_001)


def take(
    store: Path, data: bytes, offset: int = 0, *, is_big: bool, before: str = ""
) -> subprocess.CompletedProcess[bytes]:
    command = shell_scripts.send_large(str(store), "part", offset, is_big=is_big)
    assert not set("\n!") & set(command), "whatever shell the user has there hands it on as it is"
    return subprocess.run(["sh", "-c", before + command], input=data, capture_output=True, check=False)


@pytest.mark.parametrize("is_big", [False, True])
def test_a_partial_file_is_appended_to_and_hashed_as_a_whole(tmp_path: Path, is_big: bool) -> None:
    take(tmp_path, DATA[:300_000], is_big=is_big)
    told = take(tmp_path, DATA[300_000:], 300_000, is_big=is_big).stdout.split()
    assert (told[0].decode(), int(told[-1])) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert (tmp_path / "part").read_bytes() == DATA


@pytest.mark.parametrize("is_big", [False, True])
def test_what_the_system_refuses_is_said_in_its_words(tmp_path: Path, is_big: bool) -> None:
    done = take(tmp_path, DATA, is_big=is_big, before="trap '' XFSZ; ulimit -f 100; ")
    assert done.returncode and done.stderr.splitlines()[-1].endswith(b"File too large")
