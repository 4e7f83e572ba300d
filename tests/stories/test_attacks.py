"""Random records, notes and shared settings of an attacker: no command of the victim does more than it may.

`PIVOT_ATTACKS=500` tries that many; the suite tries a few.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.state.records import Record
from tests.support.folders import code
from tests.support.planting import EVIL, Content, Stored, amended, contents, forged, push, true_record, two_clones
from tests.support.repository import PIVOT, Repo

OUT = "out/one.json"
CANARY = "canary"

# Spellings that some file system, program or reader takes for something else.
FOLDERS = [
    "",
    "out/",
    "new/",
    "linked/",
    ".git/",
    ".GIT/",
    ".g\u200cit/",
    "git~1/",
    ".git ./",
    "../",
    "/",
    "a/../",
    "./",
]
NAMES = [
    *("hooks/post-checkout", "config", "info/exclude", "one.json", "one.json/x", "pipeline.py", "PIPELINE.PY"),
    *("json.py", "sitecustomize.py", "conftest.py", ".envrc", ".gitattributes", "evil.pth", "Makefile", "data.json"),
    *("plain.csv", "mine.csv", "run.csv.", "run.csv ", "a\nb.csv", "\x1b[2J.csv", "\u202egpj.py", "caf\u00e9.csv"),
    *(
        "cafe\u0301.csv",
        "\uff0egit",
        "C:evil.csv",
        "a\\b.csv",
        "x" * 300 + ".csv",
        "d/" * 2100 + "x.csv",
        ".gitmodules",
    ),
]
PATHS = st.builds(str.__add__, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
FILES = st.sampled_from([EVIL, b'{"rows": 99}\n', b"#!/bin/sh\ntouch @canary@\n", b"* filter=evil\n", b""])
LINKS = st.sampled_from(["../.git/hooks", ".git", "/", "..", "../pipeline.py", "/nowhere"])
TREES = st.dictionaries(st.sampled_from(["fine.csv", "conftest.py", ".envrc", "run", "link.csv"]), FILES | LINKS)
OUTS = st.dictionaries(PATHS, FILES | LINKS | TREES, max_size=4)
SETTINGS = st.sampled_from(
    [
        "",
        "[pivot]\n\tstore = {there}\n",
        "[pivot]\n\tstore = ../theirs.git\n",
        '[pivot]\n\tremote = lab\n[pivot-remote "lab"]\n\turl = {there}\n',
        '[pivot-remote "lab"]\n\turl = file://{theirs}\n',
        '[pivot-remote "lab"]\n\turl = host:x\n\tidentityFile = x\n[core]\n\tsshCommand = touch @canary@\n',
    ]
)
COMMANDS = [
    *(["status"], ["repro"], ["checkout"], ["checkout", "--rev", "HEAD"], ["pull"], ["fsck"], ["verify"], ["gc"]),
    *(["gc", "--remote", "lab"], ["push"], ["get", "HEAD", OUT, "-o", "shown"]),
]
MOVES = [
    ["switch", "--quiet", "--detach", "attack"],
    ["merge", "--quiet", "--no-edit", "attack"],
    ["-c", "pull.rebase=false", "pull", "--quiet", "--no-edit", "../attacker", "HEAD"],
    ["rebase", "--quiet", "attack"],
    ["commit", "--quiet", "--allow-empty", "-m", "own"],
]


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    attacker, victim = two_clones(Repo.init(folder / "attacker"), folder)
    victim.pivot("status").expect(0)
    victim.write("mine.csv", "mine\n")
    (victim.path / "linked").symlink_to(".git/hooks")
    victim.pivot("hooks", "install").expect(0)
    code(folder / "theirs.git")
    attacker.write("later.txt", "later\n")
    attacker.commit("later")
    attacker.pivot("repro").expect(0)
    return folder


def _attack(room: Path, outs: Mapping[str, Content], text: str, *, amend: bool) -> Repo:
    """The victim of a commit with these settings, and of a record that names these outputs."""
    attacker, victim = Repo(room / "attacker"), Repo(room / "victim")
    true = true_record(attacker)
    if text:
        places = {"{there}": room / "there", "{theirs}": room / "theirs.git", "@canary@": room / CANARY}
        for name, place in places.items():
            text = text.replace(name, str(place))
        attacker.write(".pivotconfig", text)
        attacker.commit("settings")
    scratch = room / "scratch"
    scratch.mkdir()
    held = {path: Stored(victim).put(_armed(content, room), scratch) for path, content in outs.items()}
    planted: Record = amended(true, {OUT: true.outs[OUT], **held}) if amend else forged(true, held)
    push(attacker, victim, planted)
    victim.git("fetch", "--quiet", str(attacker.path), "HEAD:refs/heads/attack")
    return victim


def _armed(content: Content, room: Path) -> Content:
    if isinstance(content, Mapping):
        return {name: _armed(inner, room) for name, inner in content.items()}
    if content == EVIL:
        return f"open({str(room / CANARY)!r}, 'w')\n".encode()
    return content.replace(b"@canary@", bytes(room / CANARY)) if isinstance(content, bytes) else content


def _state(room: Path) -> dict[str, object]:
    """All that no command may change: files of the user and of Git, refs and objects, other repositories."""
    victim = Repo(room / "victim")
    # Left out: what Git checks out of the attacker's commit, outputs, and data that a hook may write.
    kept = {path: held for path, held in contents(victim).items() if not _may_come(path)}
    refs = [*victim.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags").splitlines()]
    rest = {str(path.relative_to(room)) for path in room.iterdir()}
    theirs = subprocess.run(["git", "-C", str(room / "theirs.git"), "fsck", "--full"], capture_output=True, check=False)
    objects = victim.run("git", "fsck", "--connectivity-only", "--no-dangling")
    there = sorted(str(path) for path in (room / "theirs.git").rglob("*"))
    return {"kept": kept, "refs": refs, "room": rest, "theirs": (theirs.returncode, there), "objects": objects.code}


def _may_come(path: str) -> bool:
    is_data = path.rpartition("/")[2] in ("plain.csv", "fine.csv", "café.csv", "cafe\u0301.csv")
    is_git = path.lower().startswith((".git", "git~1", ".g\u200cit", "linked/"))
    return path in (OUT, "shown", "later.txt", ".pivotconfig") or (is_data and not is_git)


@pytest.fixture
def _rooms(_made: Path, tmp_path: Path) -> Iterator[Path]:
    """Where copies of both clones, and another repository beside them, are made for each attack."""
    yield tmp_path


@settings(
    max_examples=int(os.environ.get("PIVOT_ATTACKS", "4")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(outs=OUTS, text=SETTINGS, amend=st.booleans(), command=st.sampled_from(COMMANDS), move=st.sampled_from(MOVES))
def test_whoever_may_push_gets_nothing_but_data_into_outputs(
    _made: Path, _rooms: Path, outs: dict[str, Content], text: str, amend: bool, command: list[str], move: list[str]
) -> None:
    room = Path(tempfile.mkdtemp(dir=_rooms))
    for name in ("attacker", "victim", "theirs.git"):
        shutil.copytree(_made / name, room / name, symlinks=True)
    victim = _attack(room, outs, text, amend=amend)
    before = _state(room)
    for step in (["git", *move], [*PIVOT, *command], [*PIVOT, "status"]):
        said = victim.run(*step)
        assert said.code != 3 and "bug:" not in said.err and "Traceback" not in said.err, said
        assert _state(room) == before, said
    shutil.rmtree(room)
