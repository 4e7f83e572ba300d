"""What a server that runs pushed code believes, and what that code can do to it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pivot.operations.sandbox import Sandbox, empty_room, probe
from tests.hooks.test_server import STATE, said_by
from tests.support.repository import Repo

NAME = "ci.example"

PIPELINE = """
import os
from typing import Annotated

import pivot


def train() -> Annotated[str, pivot.Out("model.json", pivot.loaders.JSON())]:
    return os.environ.get("PLANTED", "honest")


def report(
    model: Annotated[str, pivot.Dep("model.json", pivot.loaders.JSON())],
) -> Annotated[str, pivot.Out("report.json", pivot.loaders.JSON())]:
    return model.upper()


pipeline = pivot.Pipeline("trust")
pipeline.register(train)
pipeline.register(report)
"""


@pytest.fixture
def server(tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "server.git", "--bare")
    made.pivot("hooks", "install", "--server").expect(0)
    made.git("config", "pivot.ci", "run")
    made.git("config", "pivot.ciName", NAME)
    return made


@pytest.fixture
def project(server: Repo, tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "project")
    made.write("pipeline.py", PIPELINE)
    made.commit("a pipeline")
    made.git("remote", "add", "origin", str(server.path))
    return made


@pytest.fixture(params=["none", "bwrap"])
def apart(request: pytest.FixtureRequest, server: Repo, tmp_path: Path) -> str:
    """Each way in which the server keeps pushed code apart."""
    if request.param == "bwrap":
        skip_without_bwrap(tmp_path)
        server.git("config", "pivot.ciSandbox", "bwrap")
    return str(request.param)


def skip_without_bwrap(tmp_path: Path) -> None:
    if reason := probe(Sandbox("bwrap"), empty_room(tmp_path / "probe")):
        pytest.skip(reason)


def pushed(project: Repo, *, code: int = 0) -> str:
    return "\n".join(said_by(project, "--no-verify", "origin", "main", code=code))


def with_body(project: Repo, body: str) -> None:
    """A commit whose first stage does this; `found` is its result."""
    indented = body.replace("\n", "\n    ")
    project.replace(
        "pipeline.py", '    return os.environ.get("PLANTED", "honest")', f"    {indented}\n    return found"
    )
    project.replace("pipeline.py", "[str, pivot.Out", "[object, pivot.Out")
    project.replace("pipeline.py", "model: Annotated[str,", "model: Annotated[object,")
    project.replace("pipeline.py", "return model.upper()", "return str(model).upper()")
    project.commit("another first stage")


def result_of(server: Repo, path: str) -> object:
    """The content of the one output that the server's note names."""
    note = server.git("notes", "--ref=pivot", "show", "main")
    [oid] = {word.partition("=")[2] for word in note.split() if word.startswith(f"{path}=")}
    return json.loads(server.git("--git-dir", "pivot/store.git", "cat-file", "blob", oid))


def test_a_record_that_was_pushed_is_not_believed(project: Repo, server: Repo, apart: str) -> None:
    """Another known output under the true fingerprint, and a note that names it."""
    project.pivot("repro", env={"PLANTED": "planted"}).expect(0)
    said_by(project, "--no-verify", "origin", *STATE)
    told = pushed(project)
    assert f"reproduced on {NAME}" in told and "restored" not in told.replace("0 restored", "")
    assert (result_of(server, "model.json"), result_of(server, "report.json")) == ("honest", "HONEST")


def test_what_the_server_has_made_itself_is_believed(project: Repo, server: Repo, apart: str) -> None:
    pushed(project)
    project.commit("the same files", "pipeline.py")
    told = pushed(project)
    assert "\n0 ran, " in told and f"reproduced on {NAME}" in told


def test_the_note_says_who_has_run_it(project: Repo, server: Repo) -> None:
    pushed(project)
    tree = project.git("rev-parse", "HEAD^{tree}")[:12]
    note = server.git("notes", "--ref=pivot", "show", "main").splitlines()
    [proof] = [line for line in note if line.startswith("=proved ")]
    assert proof.split()[:3] == ["=proved", tree, NAME] and " report=" in proof and " train=" in proof


def test_nobody_else_says_that_the_server_has_run_it(project: Repo, server: Repo) -> None:
    project.pivot("repro").expect(0)
    tree = project.git("rev-parse", "HEAD^{tree}")[:12]
    note = project.git("notes", "--ref=pivot", "show")
    project.git("notes", "--ref=pivot", "add", "-f", "-m", f"{note}\n=proved {tree} {NAME} train=0123456789ab")
    told = said_by(project, "--no-verify", "origin", "refs/notes/pivot", code=1)
    assert f"says that {NAME} has run it" in told[0]


def test_a_note_that_the_server_wrote_may_come_back(project: Repo, server: Repo) -> None:
    pushed(project)
    project.pivot("pull").expect(0)
    project.commit("more")
    project.pivot("repro").expect(0)
    project.pivot("push").expect(0)
    assert NAME in server.git("notes", "--ref=pivot", "show", "main")


def test_a_stage_that_commits_proves_nothing_about_its_commit(project: Repo, server: Repo, apart: str) -> None:
    with_body(
        project,
        "import subprocess\n"
        "who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']\n"
        "found = subprocess.run(['git', *who, 'commit', '--quiet', '--allow-empty', '-m', 'moved']).returncode",
    )
    assert "not reproduced" in pushed(project)
    server.git("notes", "--ref=pivot", "show", "main", code=1)
    assert "moved" not in server.git("log", "--all", "--format=%s")


def test_a_process_that_an_import_starts_does_not_outlive_the_run(project: Repo, server: Repo, apart: str) -> None:
    mark = f"98{os.getpid()}"
    text = project.read("pipeline.py")
    start = f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
    project.write("pipeline.py", start + text)
    project.commit("leaves something running")
    pushed(project)
    assert not list(processes_called(mark))


def processes_called(argument: str) -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words:
            yield folder.name


def test_what_a_stage_prints_is_bounded_and_steers_nothing(project: Repo, server: Repo) -> None:
    with_body(
        project,
        "print('\\x1b]0;title\\x07::error::no\\rsuch\\u2028thing')\n"
        "print('x' * (3 << 20))\n"
        "for number in range(100_000): print('many lines, one after the other', number)\n"
        "found = 1",
    )
    done = project.run("git", "push", "--quiet", "--no-verify", "origin", "main").expect(0).err
    assert (
        len(done) < 3 << 20 and ("is left out" in done or "lines not shown" in done) and f"reproduced on {NAME}" in done
    )
    assert not {"\x1b", "\x07", "\u2028"} & set(done)


def test_a_link_in_the_place_of_the_objects_is_refused(project: Repo, server: Repo, tmp_path: Path) -> None:
    with_body(
        project,
        "import pathlib\n"
        "place = pathlib.Path('.git/objects')\n"
        f"place.rename({str(tmp_path / 'moved')!r})\n"
        f"place.symlink_to({str(tmp_path / 'moved')!r})\n"
        "found = 1",
    )
    told = pushed(project)
    assert "not reproduced" in told and "in the place of its repository" in told


def test_in_a_sandbox_a_stage_reaches_nothing_of_the_account(
    project: Repo, server: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_bwrap(tmp_path)
    server.git("config", "pivot.ciSandbox", "bwrap")
    secret, planted = Path(os.environ["HOME"]) / "secret", tmp_path / "planted"
    secret.write_text("a key")
    monkeypatch.setenv("TOKEN", "a token")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with_body(
            project,
            f"""
import pathlib, socket
def tried(action):
    try:
        action()
    except OSError:
        return False
    return True
pathlib.Path('inside').write_text('x')
found = {{
    'home': pathlib.Path.home().name,
    'writes home': tried(lambda: (pathlib.Path.home() / 'x').write_text('x')),
    'token': os.environ.get('TOKEN'),
    'secret': tried(lambda: pathlib.Path({str(secret)!r}).read_text()),
    'planted': tried(lambda: pathlib.Path({str(planted)!r}).write_text('x')) and False,
    'refs': tried(lambda: pathlib.Path({str(server.path / "refs/planted")!r}).write_text('x')),
    'store': tried(lambda: pathlib.Path({str(server.path / "pivot/store.git/planted")!r}).write_text('x')),
    'usr': tried(lambda: pathlib.Path('/usr/planted').write_text('x')),
    'network': tried(lambda: socket.create_connection({listening.getsockname()!r}, 2).close()),
}}
""".strip(),
        )
        told = pushed(project)
    assert f"reproduced on {NAME}" in told and not planted.exists()
    assert result_of(server, "model.json") == {
        "home": "home",
        "writes home": True,
        "token": None,
        "secret": False,
        "planted": False,
        "refs": False,
        "store": False,
        "usr": False,
        "network": False,
    }


def test_a_command_of_the_owner_is_put_in_front(project: Repo, server: Repo, tmp_path: Path) -> None:
    log = tmp_path / "log"
    server.git("config", "pivot.ciSandbox", f"sh -c 'echo {{home}} >>{log}; exec \"$@\"' apart")
    with_body(project, "found = [os.environ.get('GIT_PIVOT_CHECKOUT') == os.getcwd(), os.environ.get('OF_PUSHER')]")
    os.environ["OF_PUSHER"] = "x"
    try:
        assert f"reproduced on {NAME}" in pushed(project)
    finally:
        del os.environ["OF_PUSHER"]
    assert log.read_text().endswith("/home\n") and result_of(server, "model.json") == [True, None]


@pytest.mark.parametrize("mode", ["verify", "run"])
@pytest.mark.parametrize("sandbox", ["no-such-program --x", "'", "", "podman"])
def test_a_sandbox_that_is_not_there_refuses_the_push(project: Repo, server: Repo, mode: str, sandbox: str) -> None:
    server.git("config", "pivot.ci", mode)
    server.git("config", "pivot.ciSandbox", sandbox)
    assert "pivot.ciSandbox is" in pushed(project, code=1)


def test_a_rerun_has_a_time_limit(project: Repo) -> None:
    project.pivot("repro").expect(0)
    project.replace("pipeline.py", '"honest")', '"honest") + str(__import__("time").sleep(600) or "")')
    project.commit("slow")
    note = project.git("notes", "--ref=pivot", "show", "HEAD~1")
    before, now = (project.git("rev-parse", f"{one}^{{tree}}")[:12] for one in ("HEAD~1", "HEAD"))
    project.git("notes", "--ref=pivot", "add", "-f", "-m", note.replace(before, now))
    said = project.pivot("verify", "--rerun", "--timeout", "3s").expect(1)
    assert "took longer than 3 s" in said.out
    assert "not a valid time" in project.pivot("verify", "--rerun", "--timeout", "soon").expect(2).err
