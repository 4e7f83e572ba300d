"""Whoever may push results can plant wrong data in declared outputs, and nothing anywhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pivot.git.records import Output
from tests.support.planting import EVIL, Content, Stored, amended, contents, push, true_record, two_clones
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


def test_checkout_of_a_commit_says_which_record_is_refused_and_why(pair: tuple[Repo, Repo]) -> None:
    victim = plant(pair, AMENDED["new module"])
    said = victim.pivot("checkout", "--rev", "HEAD").expect(1).err
    assert "make: the record" in said
    assert "is refused: its stage declares no output json.py" in said
    assert "its stage declares no output json.py" in victim.pivot("verify").expect(1).out
