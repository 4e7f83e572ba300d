"""The hook script on its own: what it passes on, what it decides alone, and that it never stands in Git's way."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.repository import Repo

SCRIPT = Path(__file__).parents[2] / "hooks" / "git-pivot-hook"

# Stands for the installed command: writes down how it was called, exits as it is told.
PROBE = """
import os, pathlib, sys
if sys.argv[1:] == ["--version"]:
    sys.exit(0)
with open(os.environ["PROBE_LOG"], "a") as log:
    log.write(f"{sys.argv[1:]} {sys.stdin.read()!r}\\n")
sys.exit(int(os.environ.get("PROBE_EXIT", "0")))
"""

PREVIOUS = """\
#!/bin/sh
printf 'previous %s <%s>\\n' "$*" "$(cat)" >>"$PROBE_LOG"
exit "${PREVIOUS_EXIT:-0}"
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROBE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def hooked(repo: Repo, log: Path) -> Repo:
    """A repository with Pivot state, two commits, a remote, and the script as two of its hooks."""
    repo.commit("first")
    repo.commit("second")
    remote = Repo.init(repo.path.parent / "a remote", "--bare")
    repo.git("remote", "add", "origin", str(remote.path))
    install(repo, "post-checkout", "pre-push")
    (repo.path / ".git/pivot").mkdir()
    return repo


def install(repo: Repo, *names: str, python: str = sys.executable) -> None:
    probe = repo.path / ".git" / "the probe"
    probe.write_text(PROBE)
    text = SCRIPT.read_text().replace("@PYTHON@", shlex.quote(python)).replace("@PIVOT@", shlex.quote(str(probe)))
    for name in names:
        write_hook(repo, name, text)


def write_hook(repo: Repo, name: str, text: str) -> None:
    hook = repo.path / ".git/hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(text)
    hook.chmod(0o755)


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_a_branch_switch_is_passed_on_with_its_arguments(hooked: Repo, log: Path) -> None:
    old = hooked.head()
    hooked.git("switch", "--quiet", "--detach", "HEAD~1")
    assert calls(log) == [f"['hook', 'post-checkout', '{old}', '{hooked.head()}', '1'] ''"]


@pytest.mark.parametrize("command", ["switch --quiet --create other", "checkout --quiet -- .", "push --quiet origin"])
def test_where_nothing_moves_the_command_is_not_started(hooked: Repo, log: Path, command: str) -> None:
    hooked.write("a", "a")
    hooked.commit()
    hooked.git("push", "--quiet", "--no-verify", "--set-upstream", "origin", "main")
    hooked.git(*command.split())
    assert not calls(log)


def test_without_any_state_the_command_is_not_started(hooked: Repo, log: Path) -> None:
    (hooked.path / ".git/pivot").rmdir()
    hooked.git("switch", "--quiet", "--detach", "HEAD~1")
    assert not calls(log)


def test_a_new_work_tree_sees_the_state_of_the_repository(hooked: Repo, log: Path) -> None:
    hooked.git("worktree", "add", "--quiet", "../other", "HEAD~1")
    assert len(calls(log)) == 1


def test_the_lines_of_a_push_reach_the_previous_hook_and_the_command(hooked: Repo, log: Path) -> None:
    write_hook(hooked, "pre-push.pivot-prev", PREVIOUS)
    hooked.git("push", "--quiet", "origin", "main")
    line = f"refs/heads/main {hooked.head()} refs/heads/main {'0' * 40}"
    url = hooked.git("remote", "get-url", "origin")
    assert calls(log) == [
        f"previous origin {url} <{line}>",
        f"['hook', 'pre-push', 'origin', '{url}'] {line + chr(10)!r}",
    ]


def test_a_failing_previous_hook_stops_the_push_as_it_did_before(
    hooked: Repo, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hook(hooked, "pre-push.pivot-prev", PREVIOUS)
    monkeypatch.setenv("PREVIOUS_EXIT", "7")
    hooked.git("push", "--quiet", "origin", "main", code=1)
    assert len(calls(log)) == 1


def test_as_the_legacy_hook_of_pre_commit_it_does_not_call_pre_commit_again(
    hooked: Repo, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = hooked.path / ".git/hooks"
    (hooks / "pre-push").rename(hooks / "pre-push.legacy")
    write_hook(hooked, "pre-push.pivot-prev", PREVIOUS)
    write_hook(hooked, "pre-push", '#!/bin/sh\nPRE_COMMIT_RUNNING_LEGACY=1 exec "$0.legacy" "$@"\n')
    hooked.git("push", "--quiet", "origin", "main")
    assert [call.split(",")[1] for call in calls(log)] == [" 'pre-push'"]


@pytest.mark.parametrize("code, push", [(0, 0), (1, 0), (2, 0), (3, 0), (10, 1), (130, 0)])
def test_only_exit_10_stops_a_push(hooked: Repo, monkeypatch: pytest.MonkeyPatch, code: int, push: int) -> None:
    monkeypatch.setenv("PROBE_EXIT", str(code))
    hooked.git("push", "--quiet", "origin", "main", code=push)


@pytest.mark.parametrize("code", [1, 2, 3, 10])
def test_a_switch_never_fails(hooked: Repo, log: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setenv("PROBE_EXIT", str(code))
    hooked.git("switch", "--quiet", "--detach", "HEAD~1")
    assert len(calls(log)) == 1


def test_the_switch_variable_turns_it_off(hooked: Repo, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_PIVOT_HOOKS", "0")
    hooked.git("push", "--quiet", "origin", "main")
    assert not calls(log)


@pytest.mark.parametrize("left", [None, "import nothing_of_the_kind", "#"], ids=["gone", "package gone", "Python gone"])
def test_when_the_interpreter_is_gone_it_says_so_once_and_git_goes_on(
    hooked: Repo, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str | None
) -> None:
    install(hooked, "post-checkout", "pre-push", python="/gone/python")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{_path_without_pivot()}")
    if left:
        put_command(tmp_path, f"#!{sys.executable if left != '#' else '/gone/python'}\n{left}")
    said = [stderr_of_git(hooked, "switch", "--detach", "HEAD~1"), stderr_of_git(hooked, "push", "origin", "main")]
    assert ["git-pivot is gone" in text for text in said] == [True, False]
    assert "rror" not in said[0]
    assert not calls(log)


def test_when_the_interpreter_is_gone_the_command_on_the_path_is_used(
    hooked: Repo, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(hooked, "post-checkout", python="/gone/python")
    put_command(tmp_path, f"#!{sys.executable}\n{PROBE}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{_path_without_pivot()}")
    hooked.git("switch", "--quiet", "--detach", "HEAD~1")
    assert len(calls(log)) == 1


def test_a_rebase_starts_the_command_only_when_it_begins(hooked: Repo, log: Path) -> None:
    hooked.git("switch", "--quiet", "--create", "topic", "HEAD~1")
    hooked.write("a", "a")
    hooked.commit("on topic")
    log.unlink()
    hooked.git("rebase", "--quiet", "main")
    assert len(calls(log)) <= 1


def put_command(folder: Path, text: str) -> None:
    command = folder / "bin/git-pivot"
    command.parent.mkdir()
    command.write_text(text)
    command.chmod(0o755)


def _path_without_pivot() -> str:
    folders = os.environ["PATH"].split(":")
    return ":".join(folder for folder in folders if not (Path(folder) / "git-pivot").exists())


def stderr_of_git(repo: Repo, *args: str) -> str:
    return repo.run("git", *args).expect(0).err
