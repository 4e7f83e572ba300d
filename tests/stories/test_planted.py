"""Whoever may push results can plant wrong data in declared outputs, and nothing anywhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pivot.state.records import Output
from tests.support.planting import EVIL, Content, Stored, amended, contents, forged, push, true_record, two_clones
from tests.support.repository import Repo

OUT = "out/one.json"
WRONG: Content = b'{"rows": 99}\n'

# What the attacker adds to the outputs of the true record, or puts in their place.
AMENDED: dict[str, dict[str, Content]] = {
    "tracked code": {OUT: WRONG, "pipeline.py": EVIL},
    "tracked data": {OUT: WRONG, "data.json": b"[]\n"},
    "new module": {OUT: WRONG, "json.py": EVIL},
    "direnv": {OUT: WRONG, ".envrc": EVIL},
    "more data": {OUT: WRONG, "out/two.json": WRONG},
    "another path": {"out/two.json": WRONG},
    "no output": {},
    "a symlink": {OUT: "../.git/hooks"},
    "through a symlink": {"out": "../.git/hooks", "out/post-checkout": b"#!/bin/sh\n"},
    "inside the output": {OUT: WRONG, f"{OUT}/x": EVIL},
    "Git's folder": {OUT: WRONG, ".git/hooks/post-checkout": b"#!/bin/sh\n"},
    "Git's folder, other case": {OUT: WRONG, ".GIT/hooks/post-checkout": b"#!/bin/sh\n"},
    "outside": {OUT: WRONG, "../outside.py": EVIL},
    "absolute": {OUT: WRONG, "/tmp/planted-by-a-test": EVIL},
}
COMMANDS = [["checkout", "--rev", "HEAD"], ["checkout"], ["repro"]]


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    two_clones(Repo.init(folder / "attacker"), folder)
    return folder


@pytest.fixture
def pair(_made: Path, tmp_path: Path) -> tuple[Repo, Repo]:
    """The attacker's clone and the victim's."""
    for name in ("attacker", "victim"):
        shutil.copytree(_made / name, tmp_path / name, symlinks=True)
    return Repo(tmp_path / "attacker"), Repo(tmp_path / "victim")


def plant(pair: tuple[Repo, Repo], outs: dict[str, Content]) -> Repo:
    """The victim of a record of the true situation that names these outputs."""
    attacker, victim = pair
    held: dict[str, Output] = {path: Stored(victim).put(content, victim.path.parent) for path, content in outs.items()}
    push(attacker, victim, amended(true_record(attacker), held))
    return victim


@pytest.mark.parametrize("outs", AMENDED.values(), ids=AMENDED.keys())
def test_a_true_record_with_other_outputs_writes_nothing(pair: tuple[Repo, Repo], outs: dict[str, Content]) -> None:
    victim = plant(pair, outs)
    before = contents(victim, OUT)
    for command in COMMANDS:
        victim.pivot(*command)
        assert contents(victim, OUT) == before, command
    assert (json.loads(victim.read(OUT)), victim.status()) == ({"rows": 0}, "")


def test_a_directory_in_the_place_of_a_file_stays_there_and_is_replaced(pair: tuple[Repo, Repo]) -> None:
    victim = plant(pair, {OUT: {"fine.csv": b"1\n", "conftest.py": EVIL, "link": "../../.git/hooks"}})
    before = contents(victim, OUT)
    victim.pivot("checkout", "--rev", "HEAD")
    assert contents(victim, OUT) == before  # a directory that may hold code is not restored from a note
    victim.pivot("repro")
    assert (contents(victim, OUT), victim.status()) == (before, "")


def test_checkout_of_a_commit_says_which_record_is_refused_and_why(pair: tuple[Repo, Repo]) -> None:
    victim = plant(pair, AMENDED["new module"])
    said = victim.pivot("checkout", "--rev", "HEAD").expect(1).err
    assert "make: the record" in said
    assert "is refused: its stage declares no output json.py" in said
    assert "its stage declares no output json.py" in victim.pivot("verify").expect(1).out


# A record that is sound in itself, with a note: nothing but the code says that the stage declares none of this.
FORGED: dict[str, Content] = {
    OUT: WRONG,
    "data.json": b"[]\n",
    "helper.py": EVIL,
    "json.py": EVIL,
    "conftest.py": EVIL,
    "sitecustomize.py": EVIL,
    "evil.pth": EVIL,
    ".envrc": EVIL,
    ".gitattributes": b"* filter=evil\n",
    "Makefile": b"all:\n",
    "setup.cfg": b"[tool:pytest]\n",
    "package.json": b"{}\n",
    "notebook.ipynb": b"{}\n",
    "run.csv": b"#!/bin/sh\n",
    "link.csv": ".git/hooks",
    "parts": {"fine.csv": b"1\n", "conftest.py": EVIL},
    "linked": {"fine.csv": b"1\n", "link.csv": "../.git/config"},
    "mine.csv": b"theirs\n",
}
ALLOWED = (OUT, "new.csv", "frames/a.csv")


def forge(pair: tuple[Repo, Repo], outs: dict[str, Content]) -> tuple[Repo, Repo]:
    """The attacker has a commit more than the victim, and its note names these outputs."""
    attacker, victim = pair
    victim.pivot("status").expect(0)
    attacker.write("later.txt", "later\n")
    attacker.commit("later")
    attacker.pivot("repro").expect(0)
    shutil.copytree(attacker.path / ".git/pivot/store.git", victim.path / ".git/pivot/store.git", dirs_exist_ok=True)
    held = {path: Stored(victim).put(content, victim.path.parent) for path, content in outs.items()}
    push(attacker, victim, forged(true_record(attacker), held))
    victim.write("mine.csv", "mine\n")
    victim.pivot("hooks", "install").expect(0)
    return attacker, victim


def hidden(repo: Repo) -> set[str]:
    """The files that Git ignores without being told so by the project."""
    return set(repo.git("ls-files", "--others", "--ignored", "--exclude-standard").splitlines())


MOVES = {
    "post-checkout": ["git", "switch", "--quiet", "--detach", "FETCH_HEAD"],
    "post-merge": ["git", "merge", "--quiet", "--ff-only", "FETCH_HEAD"],
    "post-rewrite": ["git", "-c", "rebase.forkPoint=false", "rebase", "--quiet", "FETCH_HEAD"],
}


@pytest.mark.parametrize("hook", MOVES.keys())
def test_a_hook_restores_data_and_nothing_that_may_be_code(pair: tuple[Repo, Repo], hook: str) -> None:
    data: dict[str, Content] = {"new.csv": b"1\n", "frames": {"a.csv": b"1\n"}}
    attacker, victim = forge(pair, {**FORGED, **data})
    victim.git("fetch", "--quiet", str(attacker.path), "HEAD")
    if hook == "post-rewrite":
        victim.write("own.txt", "own\n")
        victim.commit("own", "own.txt")
    before = contents(victim, *ALLOWED, "later.txt")
    said = victim.run(*MOVES[hook]).expect(0).err
    assert contents(victim, *ALLOWED, "later.txt") == before
    assert hidden(victim) <= {*ALLOWED}
    if hook != "post-rewrite":  # after a rebase the commit is a new one, of which nothing is noted
        assert "left to `git pivot checkout`" in said
        assert victim.exists("new.csv") and victim.exists("frames/a.csv")


def test_checkout_and_pull_of_a_note_leave_what_may_be_code(pair: tuple[Repo, Repo], tmp_path: Path) -> None:
    attacker, victim = forge(pair, FORGED)
    victim.git("fetch", "--quiet", str(attacker.path), "HEAD")
    victim.git("-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--ff-only", "FETCH_HEAD")
    victim.pivot("remote", "add", "lab", str(tmp_path / "lab")).expect(0)
    before = contents(victim, OUT)
    said = victim.pivot("checkout", "--rev", "HEAD").expect(1).err
    assert "helper.py may be code or configuration" in said
    assert contents(victim, OUT) == before
    victim.pivot("pull")
    assert contents(victim, OUT) == before
    victim.pivot("get", "HEAD", "helper.py", "-o", "shown.txt").expect(0)
    assert contents(victim, OUT, "shown.txt") == before
    victim.pivot("repro").expect(0)
    assert contents(victim, OUT, "shown.txt") == before


def test_an_output_that_may_be_code_follows_once_this_clone_has_seen_the_code(pair: tuple[Repo, Repo]) -> None:
    repo, _ = pair
    repo.replace("pipeline.py", '"out/one.json"', '"out/made.yaml"')
    repo.replace(
        "pipeline.py",
        'dict, pivot.Out("out/made.yaml", pivot.loaders.JSON())',
        'dict, pivot.Out("out/made.yaml", pivot.loaders.YAML())',
    )
    repo.commit("a YAML file")
    repo.pivot("repro").expect(0)
    repo.pivot("hooks", "install").expect(0)
    repo.git("switch", "--quiet", "--detach", "HEAD~1")
    assert not repo.exists("out/made.yaml")
    assert repo.run("git", "switch", "--quiet", "-").expect(0).err.startswith("pivot: ")
    assert repo.exists("out/made.yaml")
