"""Names that are not ASCII, or not even UTF-8, in every place: files, folders, branches, variables, the locale."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.cli.text_encoding import QUOTING
from tests.support.repository import Repo
from tests.support.stories import ran, settled

PIPELINE = """
import os
from typing import Annotated
import pivot
from pivot import Dep, Out

def größe(x: Annotated[str, Dep("dätä.txt")]) -> Annotated[str, Out("öut/é.txt")]:
    print("çava", len(os.environ.get("FLAVOUR", "")))
    return x

pipeline = pivot.Pipeline("p")
pipeline.register(größe)
"""
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
BYTES = os.fsdecode(b"n\xe9")
COMMANDS = [
    ("status",), ("repro",), ("status", "--explain", "größe"), ("log",), ("show",), ("verify",), ("logs", "größe"),
    ("diff",), ("dag",), ("blame", "öut/é.txt"), ("clean", "größe"), ("checkout", "öut"), ("repro", "-f", "--json"),
    ("get", "HEAD", "öut/é.txt"), ("fsck",), ("du",), ("params", "show"), ("hooks", "install"),
]  # fmt: skip


def named(repo: Repo, branch: str = "naïve") -> Repo:
    repo.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    repo.write("dätä.txt", "héllo\n")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("début")
    return repo


def test_an_ascii_locale_changes_nothing(repo: Repo) -> None:
    named(repo)
    said = {words: repo.pivot(*words, env=ASCII).expect(0) for words in COMMANDS}
    assert "çava" in said["logs", "größe"].out
    assert "größe" in said[("dag",)].out
    assert said["get", "HEAD", "öut/é.txt"].out == "héllo\n"
    settled(repo)


def test_a_branch_that_is_not_ascii_has_notes_and_is_named_by_the_hooks(repo: Repo) -> None:
    named(repo).pivot("init").expect(0)
    ran(repo)
    assert "größe" in repo.git("notes", "--ref=pivot", "show")
    assert "unknown" not in repo.git("notes", "--ref=pivot", "show")
    repo.git("switch", "--quiet", "--create", "other")
    repo.replace("dätä.txt", "héllo", "autre")
    ran(repo)
    repo.commit("autre")
    said = repo.run("git", "switch", "naïve").expect(0).err
    assert "other -> naïve" in said


def test_bytes_that_are_not_utf8_are_taken_and_shown_quoted(tmp_path: Path) -> None:
    repo = named(Repo.init(tmp_path / BYTES), BYTES)
    repo.git("remote", "add", "origin", str(Repo.init(tmp_path / f"{BYTES}.git", "--bare").path))
    flavour = {"FLAVOUR": BYTES}
    assert "$FLAVOUR" not in repo.pivot("repro", env=flavour).expect(0).out
    assert repo.pivot("status", env=flavour).expect(0).out == "1 stage up to date.\n"
    assert "$FLAVOUR n\\351 -> (not set)" in repo.pivot("status").expect(0).out
    repo.pivot("status", "--explain", "--json", env=flavour).expect(0).json()
    assert f"{tmp_path}/n\\351/.git/hooks/pre-push: installed" in repo.pivot("init").expect(0).out
    for words in (("verify",), ("push",), ("pull",), ("log", "--json"), ("show",)):
        repo.pivot(*words, env=flavour).expect(0)


@pytest.mark.parametrize(
    ("text", "shown"), [(BYTES, "n\\351"), ("\ud800", "\\ud800"), ("é\udcff\udcfe", "é\\377\\376")]
)
def test_what_cannot_be_encoded_is_quoted_as_git_does(text: str, shown: str) -> None:
    assert text.encode("utf-8", QUOTING).decode() == shown
