"""What pages take for granted, by the name that they ask for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sshd import SSHD, SshServer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def monorepo(desk: Path) -> Path:
    """A copy of the example of three teams, in the folder that the reader works in."""
    return Path(shutil.copytree(EXAMPLES / "monorepo", desk, dirs_exist_ok=True))


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries for numbers compute in one thread: in several they wait for each other where other tests are busy."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """`$LAB`, a folder on a host that the reader reaches over SSH; without a server here, a folder of this machine."""
    folder = tmp_path / "lab"
    folder.mkdir()
    monkeypatch.setenv("LAB", url := str(folder))
    if SSHD is None:
        return url
    server: SshServer = request.getfixturevalue("ssh_server")
    # What stands in a reader's ~/.ssh, which `ssh` would look for in the home of the machine's user.
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command())
    subprocess.run(["git", "config", "--global", "pivot-remote.lab.sshCommand", server.command()], check=True)
    monkeypatch.setenv("LAB", url := server.url(folder))
    return url
