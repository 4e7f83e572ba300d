"""Git's own folder is known in every spelling that some file system takes for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pivot.git.safe_path import names_git_folder

SPELLINGS = [
    ".git",
    ".GIT",
    ".git.",
    ".git ",
    ".git. .",
    "git~1",
    "GIT~1",
    ".git::$INDEX_ALLOCATION",
    ".g\u200cit",
    "\ufeff.git",
    "x\\.git",
]
OTHERS = ["git", ".gitx", ".git x", "a.git", "git~2", ".gi", "..git", ".gitmodules", "é"]


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_the_git_folder_is_known(name: str) -> None:
    assert names_git_folder(name)


@pytest.mark.parametrize("name", SPELLINGS + OTHERS)
def test_git_itself_judges_names_alike(tmp_path: Path, name: str) -> None:
    """`git fsck` on a tree with that name."""
    if "/" in name:
        pytest.skip("not a name")
    git = ["git", "--git-dir", str(tmp_path)]
    subprocess.run([*git, "init", "-q", "--bare"], check=True)
    blob = subprocess.run([*git, "hash-object", "-w", "--stdin"], input=b"", capture_output=True, check=True).stdout
    raw = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob.decode())
    write = [*git, "hash-object", "--literally", "-t", "tree", "-w", "--stdin"]
    subprocess.run(write, input=raw, capture_output=True, check=True)
    told = subprocess.run([*git, "fsck"], capture_output=True, check=False)
    assert (b"hasDotgit" in told.stderr + told.stdout) == names_git_folder(name)
