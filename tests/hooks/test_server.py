"""Pushes to a bare repository with the server's hooks: what is not reproduced is refused, or run there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.files import FileLock
from tests.hooks.support import change_process
from tests.support.repository import Repo
from tests.support.stories import ran

STATE = ("refs/pivot/runs", "refs/notes/pivot")


@pytest.fixture
def server(branches: Repo, tmp_path: Path) -> Repo:
    """A bare repository with the server's hooks, which shares the store of who pushes; nothing is pushed yet."""
    made = Repo.init(tmp_path / "server.git", "--bare")
    made.pivot("hooks", "install", "--server").expect(0)
    made.git("config", "pivot.store", str(branches.path / ".git/pivot/store.git"))
    branches.git("remote", "add", "origin", str(made.path))
    return made


@pytest.fixture
def verifying(server: Repo) -> Repo:
    server.git("config", "pivot.ci", "verify")
    return server


@pytest.fixture
def running(server: Repo) -> Repo:
    """It has a store of its own, so that it has to run what it is to have."""
    server.git("config", "pivot.ci", "run")
    server.git("config", "pivot.ciName", "ci.example")
    server.git("config", "--unset", "pivot.store")
    return server


def said_by(repo: Repo, *args: str, code: int = 0) -> list[str]:
    """What the server's hooks say during a push, without what a check leaves unproven."""
    return [line for line in all_said_by(repo, *args, code=code) if "not proven" not in line]


def all_said_by(repo: Repo, *args: str, code: int = 0) -> list[str]:
    """What the server's hooks say during a push."""
    lines = repo.run("git", "push", "--quiet", *args).expect(code).err.split("\n")
    start = "remote: pivot: "
    return [line.removeprefix(start).rstrip() for line in lines if line.startswith(start)]


def branches_of(server: Repo) -> set[str]:
    return set(server.git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags").splitlines())


def change_data(repo: Repo) -> None:
    """A commit whose stages have not run."""
    repo.pivot("status").expect(0)
    repo.replace("data.json", "1", "7")
    repo.commit("other data, not run")


def test_what_is_reproduced_is_taken(branches: Repo, verifying: Repo) -> None:
    assert said_by(branches, "origin", "main", "other") == []
    assert branches_of(verifying) == {"main", "other"}


def rewritten_note(repo: Repo, change: Callable[[list[str]], list[str]]) -> None:
    """A commit with other code, and for a note that of its parent with the new tree."""
    lines = repo.git("notes", "--ref=pivot", "show").splitlines()
    before = repo.git("rev-parse", "HEAD^{tree}")[:12]
    change_process(repo)
    repo.git("commit", "--quiet", "--all", "--message", "other code, not run")
    now = repo.git("rev-parse", "HEAD^{tree}")[:12]
    note = "\n".join(line.replace(before, now) for line in change(lines))
    repo.git("notes", "--ref=pivot", "add", "--force", "--message", note)
    repo.git("push", "--quiet", "--no-verify", "origin", *STATE)


@pytest.mark.parametrize(
    "change, problem",
    [
        (lambda lines: lines, "process: its code in the commit is not the code that gave the result"),
        (lambda lines: lines[:1], "process: its pipeline has it, and the note does not"),
    ],
    ids=["another tree", "a stage left out"],
)
@pytest.mark.parametrize("analyse", [True, False])
def test_a_note_that_was_rewritten_is_found_by_an_analysis_and_else_not_called_proven(
    branches: Repo, verifying: Repo, analyse: bool, change: Callable[[list[str]], list[str]], problem: str
) -> None:
    verifying.git("config", "pivot.ciAnalyse", str(analyse).lower())
    branches.git("switch", "--quiet", "main")
    rewritten_note(branches, change)
    told = all_said_by(branches, "--no-verify", "origin", "main", code=int(analyse))
    assert any((problem if analyse else "not proven: that the note lists every stage") in line for line in told), told


def test_an_honest_push_passes_an_analysis(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "pivot.ciAnalyse", "true")
    assert all_said_by(branches, "origin", "main", "other") == []


def test_a_stale_stage_is_refused_by_name(branches: Repo, verifying: Repo) -> None:
    change_data(branches)
    where = f"other ({branches.head()[:8]})"
    told = said_by(branches, "origin", "other", code=1)
    assert told[:2] == [f"{where}: count: it is stale", f"{where}: process: it is stale"]
    assert branches_of(verifying) == set()


def test_after_a_run_the_same_commit_is_taken(branches: Repo, verifying: Repo) -> None:
    change_data(branches)
    said_by(branches, "origin", "other", code=1)
    ran(branches)
    assert said_by(branches, "origin", "other") == []


def test_one_branch_that_does_not_hold_stops_all(branches: Repo, verifying: Repo) -> None:
    change_data(branches)
    said_by(branches, "origin", "main", "other", code=1)
    assert branches_of(verifying) == set()


def test_a_commit_whose_results_were_not_pushed_is_refused(branches: Repo, verifying: Repo) -> None:
    told = said_by(branches, "--no-verify", "origin", "main", code=1)
    assert "it has no note" in told[0]


def test_results_that_come_in_the_same_push_count(branches: Repo, verifying: Repo) -> None:
    """Their refs have not moved yet when the hook looks, and their objects stand in quarantine."""
    said_by(branches, "--no-verify", "origin", "main", *STATE)
    assert branches_of(verifying) == {"main"}


def test_a_mirror_of_everything_is_taken(branches: Repo, verifying: Repo) -> None:
    branches.git("tag", "--annotate", "--message", "one", "v1", "main")
    assert said_by(branches, "--mirror", "origin") == []
    assert branches_of(verifying) == {"main", "other", "v1"}


def test_bytes_that_the_server_does_not_have_are_named(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "--unset", "pivot.store")
    assert "the store does not have count.json" in said_by(branches, "origin", "main", code=1)[0]
    verifying.git("config", "pivot.ciStore", "false")
    assert said_by(branches, "origin", "main") == []


def test_only_refs_that_match_are_checked(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "pivot.ciRefs", "refs/heads/main")
    change_data(branches)
    [told] = said_by(branches, "origin", "other")
    assert "refs/heads/main matches no branch and no tag" in told
    said_by(branches, "origin", "other:main", code=1)


def test_every_commit_counts_where_the_owner_says_so(branches: Repo, verifying: Repo) -> None:
    change_data(branches)
    between = branches.head()[:8]
    branches.replace("data.json", "7", "1")
    branches.commit("the data of before")
    assert said_by(branches, "origin", "other") == []
    said_by(branches, "origin", "--delete", "other")
    verifying.git("config", "pivot.ciCommits", "all")
    assert said_by(branches, "origin", "other", code=1)[0].startswith(f"other ({between}): ")


def test_a_branch_without_a_pipeline_and_a_deletion_and_a_tagged_file_are_taken(
    branches: Repo, verifying: Repo
) -> None:
    branches.git("switch", "--quiet", "--orphan", "pages")
    branches.git("commit", "--quiet", "--allow-empty", "--message", "pages")
    branches.git("tag", "file", "main:data.json")
    assert said_by(branches, "origin", "pages", "file") == []
    assert said_by(branches, "origin", "--delete", "pages") == []


def test_who_pushes_does_not_turn_the_check_off(
    branches: Repo, verifying: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_PIVOT_HOOKS", "0")
    assert said_by(branches, "origin", "main", code=1)


def test_nor_by_the_name_of_a_branch(branches: Repo, verifying: Repo) -> None:
    """A character at which Python, but not Git, ends a line; and bytes that are no text."""
    for name in ("a\u2028b", b"a\xffb".decode("utf-8", "surrogateescape")):
        assert "it has no note" in said_by(branches, "--no-verify", "origin", f"main:refs/heads/{name}", code=1)[0]


def test_nothing_is_left_of_a_refused_push(branches: Repo, verifying: Repo) -> None:
    change_data(branches)
    said_by(branches, "origin", "other", code=1)
    verifying.git("fsck", "--strict")
    assert not list((verifying.path / "objects").glob("tmp_objdir*"))


def test_objects_of_an_alternate_are_seen(branches: Repo, verifying: Repo, tmp_path: Path) -> None:
    """A fork on the server that borrows from the repository it was made of."""
    said_by(branches, "origin", "main", "other")
    fork = tmp_path / "fork.git"
    verifying.git("clone", "--quiet", "--bare", "--shared", str(verifying.path), str(fork))
    made = Repo(fork)
    for key in ("pivot.ci", "pivot.store"):
        made.git("config", key, verifying.git("config", key))
    made.pivot("hooks", "install", "--server").expect(0)
    branches.git("commit", "--quiet", "--allow-empty", "--message", "the same files")
    assert said_by(branches, str(fork), "other") == []


def test_without_the_setting_nothing_happens(branches: Repo, server: Repo) -> None:
    change_data(branches)
    assert said_by(branches, "--no-verify", "origin", "other") == []


def test_a_clone_cannot_bring_the_setting_along(branches: Repo, server: Repo) -> None:
    branches.write(".pivotconfig", "[pivot]\n\tci = run\n")
    branches.commit("a setting of the team's")
    assert said_by(branches, "--no-verify", "origin", "other") == []


def test_the_server_runs_what_was_pushed_and_fetch_brings_the_note(branches: Repo, running: Repo) -> None:
    branches.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    branches.pivot("init").expect(0)
    change_process(branches)
    branches.commit("not run here")
    told = said_by(branches, "--no-verify", "origin", "other")
    assert f"other ({branches.head()[:8]}): reproduced on ci.example; `git fetch` brings the results" in told
    assert any("process: done" in line for line in told)
    branches.git("fetch", "--quiet", "origin")
    assert "process" in branches.pivot("show", "HEAD").expect(0).out
    running.pivot("verify", "other").expect(0)


def test_nothing_stands_about_after_a_run(branches: Repo, running: Repo) -> None:
    said_by(branches, "--no-verify", "origin", "main")
    assert running.git("worktree", "list", "--porcelain").count("worktree ") == 1
    assert [path.name for path in (running.path / "pivot/ci").iterdir()] == ["lock"]


def test_what_the_server_has_is_not_run_again(branches: Repo, running: Repo) -> None:
    said_by(branches, "--no-verify", "origin", "main")
    told = said_by(branches, "--no-verify", "origin", "main:again")
    assert any("2 restored" in line for line in told), told


def test_a_failing_stage_is_shown_to_who_pushed_and_the_rest_is_kept(branches: Repo, running: Repo) -> None:
    branches.replace("pipeline.py", "return normalize(", "raise RuntimeError('no such luck')\n    return normalize(")
    branches.commit("fails")
    told = "\n".join(said_by(branches, "--no-verify", "origin", "other"))
    assert "no such luck" in told and "not reproduced: a stage failed" in told
    note = running.git("notes", "--ref=pivot", "show", "other")
    assert "process stale" in note and "count stale" not in note


def test_a_run_that_takes_too_long_is_ended_and_what_had_ended_is_kept(branches: Repo, running: Repo) -> None:
    running.git("config", "pivot.ciTimeout", "4s")
    slow = "import time\n    time.sleep(600 if raw else 0)\n    return normalize("
    branches.replace("pipeline.py", "return normalize(", slow)
    branches.commit("slow")
    assert "ended after 4 s (pivot.ciTimeout)" in "\n".join(said_by(branches, "--no-verify", "origin", "other"))
    assert "count" in running.pivot("log").expect(0).out


def test_one_push_runs_at_a_time(branches: Repo, running: Repo) -> None:
    running.git("config", "pivot.ciTimeout", "1s")
    with FileLock(running.path / "pivot/ci/lock", "the run of another"):
        told = said_by(branches, "--no-verify", "origin", "main")
    assert [line.partition(":")[0] for line in told] == ["waiting, one push runs at a time", "nothing was run"]


def test_in_the_background_the_push_does_not_wait(branches: Repo, running: Repo) -> None:
    running.git("config", "pivot.ciBackground", "true")
    [told] = said_by(branches, "--no-verify", "origin", "main")
    assert "runs in the background" in told
    deadline = time.monotonic() + 120
    while running.run("git", "notes", "--ref=pivot", "show", "main").code and time.monotonic() < deadline:
        time.sleep(0.2)
    log = next((running.path / "pivot/logs").glob("ci-*.log"))
    while "reproduced" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    running.pivot("verify", "main").expect(0)


@pytest.mark.parametrize(
    "setting",
    [
        ("pivot.ci", "sometimes"),
        ("pivot.ci", "vrify"),
        ("pivot.ciStore", "perhaps"),
        ("pivot.ciTimeout", "soon"),
        ("pivot.ciTimeout", "0"),
        ("pivot.ciCheckTimeout", "-1"),
        ("pivot.ciMemory", "much"),
        ("pivot.ciMemory", "1"),
        ("pivot.ciBackground", "maybe"),
        ("pivot.ciCommits", "some"),
        ("pivot.ciRefs", "main"),
        ("pivot.ciRefs", "refs/head/*"),
    ],
)
@pytest.mark.parametrize("mode", ["verify", "run"])
def test_a_setting_without_meaning_refuses_the_push(
    branches: Repo, server: Repo, mode: str, setting: tuple[str, str]
) -> None:
    server.git("config", "pivot.ci", mode)
    server.git("config", *setting)
    told = branches.run("git", "push", "--no-verify", "origin", "main").expect(1).err
    assert f"the setting {setting[0]} is" in told and "the push is refused" in told
    assert branches_of(server) == set()


def test_a_setting_that_git_cannot_read_refuses_the_push(branches: Repo, verifying: Repo) -> None:
    with (verifying.path / "config").open("a") as config:
        config.write("[pivot\n")
    branches.run("git", "push", "--no-verify", "origin", "main").expect(128)


def test_a_pattern_that_matches_nothing_is_said(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "pivot.ciRefs", "refs/heads/mian")
    [told] = said_by(branches, "--no-verify", "origin", "main")
    assert "refs/heads/mian matches no branch" in told


def test_a_check_that_needs_too_much_memory_refuses_the_push(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "pivot.ciMemory", "64m")
    branches.write("pyproject.toml", "# a line\n" * (10 << 20))
    branches.commit("a file of 90 MB, in which the names of pipelines are looked for")
    told = said_by(branches, "--no-verify", "origin", "other", code=1)
    assert "memory" in told[0] and told[-1] == "the push is refused"


def test_a_check_that_takes_too_long_refuses_the_push(branches: Repo, verifying: Repo) -> None:
    verifying.git("config", "pivot.ciCheckTimeout", "1s")
    slow = verifying.path / "bin/git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *ls-tree*) sleep 600;; esac\nexec {shutil.which("git")} "$@"\n')
    slow.chmod(0o755)
    hook = verifying.path / "hooks/pre-receive"
    hook.write_text(hook.read_text().replace("#!/bin/sh", f'#!/bin/sh\nPATH="{slow.parent}:$PATH"', 1))
    told = said_by(branches, "--no-verify", "origin", "other", code=1)
    assert "took longer than 1 s" in told[0] and told[-1] == "the push is refused"


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "sys.exit(1)", "sys.exit(0x7f)", "os.abort()"])
def test_a_check_that_is_killed_refuses_the_push(branches: Repo, verifying: Repo, tmp_path: Path, end: str) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(f"import os, sys\n{end}\n")
    replace_command(verifying, sys.executable, str(broken))
    assert "the push is refused" in said_by(branches, "origin", "main", code=1)[-1]


@pytest.mark.parametrize(
    "mode, refs, code",
    [
        ("verify", ["main"], 1),
        ("run", ["main"], 1),
        ("nonsense", ["main"], 1),
        ("off", ["main"], 0),
        (None, ["main"], 0),
        (None, list(STATE), 1),
        (None, ["main:refs/notes/pivot/x"], 1),
    ],
)
def test_without_an_interpreter_only_what_nobody_guards_is_taken(
    branches: Repo, abandoned: Repo, mode: str | None, refs: list[str], code: int
) -> None:
    if mode:
        abandoned.git("config", "pivot.ci", mode)
    assert "git-pivot is gone" in said_by(branches, "--no-verify", "origin", *refs, code=code)[0]


@pytest.fixture
def abandoned(server: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The hooks are there, and what they call is gone."""
    replace_command(server, "/gone/python", "/gone/pivot")
    monkeypatch.setenv("PATH", path_without_pivot())
    return server


def replace_command(server: Repo, python: str, pivot: str) -> None:
    hook = server.path / "hooks/pre-receive"
    text = re.sub(r"^_python=.*$", f"_python={shlex.quote(python)}", hook.read_text(), flags=re.MULTILINE)
    hook.write_text(re.sub(r"^_pivot=.*$", f"_pivot={shlex.quote(pivot)}", text, flags=re.MULTILINE))


def path_without_pivot() -> str:
    folders = os.environ["PATH"].split(":")
    return ":".join(folder for folder in folders if not (Path(folder) / "git-pivot").exists())


def test_an_object_that_was_replaced_is_checked_as_it_is(branches: Repo, verifying: Repo) -> None:
    """`refs/replace/*` may be pushed by anybody, and Git then shows another commit than the one that is taken."""
    honest = branches.head()
    change_data(branches)
    branches.git("replace", branches.head(), honest)
    said_by(branches, "--no-verify", "origin", "refs/replace/*:refs/replace/*", *STATE)
    assert said_by(branches, "--no-verify", "origin", "other", code=1)


def test_installed_and_removed_beside_a_hook_of_the_owner(server: Repo) -> None:
    server.pivot("hooks", "uninstall").expect(0)
    theirs = server.path / "hooks/pre-receive"
    theirs.write_text("#!/bin/sh\ncat >/dev/null\n")
    theirs.chmod(0o755)
    for _ in range(2):
        server.pivot("hooks", "install", "--server").expect(0)
        server.pivot("hooks", "status").expect(0)
        server.pivot("hooks", "uninstall").expect(0)
        assert theirs.read_text() == "#!/bin/sh\ncat >/dev/null\n"
    server.pivot("hooks", "status", "--server").expect(1)
