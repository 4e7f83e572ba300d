"""Addresses that others commit count only after this clone has agreed to that very value."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.folders import code, run
from tests.support.repository import Repo
from tests.support.stories import ran
from tests.support.terminal import Terminal

STORE = ".git/pivot/store.git"


@pytest.fixture
def clone(front_page: Repo, tmp_path: Path) -> Repo:
    """A clone with the hooks, and with results that have not been pushed."""
    front_page.clone(tmp_path / "server.git", "--bare")
    front_page.git("remote", "add", "origin", str(tmp_path / "server.git"))
    front_page.pivot("init").expect(0)
    ran(front_page)
    return front_page


def commit_config(repo: Repo, text: str) -> None:
    """What a colleague may push."""
    repo.write(".pivotconfig", text)
    repo.commit("a shared setting")


def push(repo: Repo) -> str:
    return repo.run("git", "push", "origin", "main").expect(0).err


ADDRESSES = {
    "a remote": '[pivot-remote "lab"]\n\turl = {there}\n',
    "a remote in capitals": '[PIVOT-REMOTE "lab"]\n\tURL = {there}\n',
    "two values": '[pivot-remote "lab"]\n\turl = {there}\n\turl = {there}\n',
    "a default": '[pivot-remote "a"]\n\turl = {there}\n[pivot-remote "b"]\n\turl = x\n[pivot]\n\tremote = a\n',
    "a file URL": '[pivot-remote "lab"]\n\turl = file://{there}\n',
    "a store": "[pivot]\n\tstore = {there}\n",
    "a store by a relative path": "[pivot]\n\tstore = ../there\n",
    "a store in capitals": "[PIVOT]\n\tSTORE = {there}\n",
    "a store out of the Git folder": "[pivot]\n\tstore = .git/../../there\n",
    "a store in the work tree": "[pivot]\n\tstore = sub/there\n",
    "agreed to by itself": "[pivot]\n\tstore = {there}\n\ttrusted = pivot.store={there}\n",
}
COMMANDS = [
    ["repro"],
    ["push"],
    ["pull"],
    ["fetch", "summarize"],
    ["gc", "--remote", "lab"],
    ["remote", "check"],
    ["trust"],
]


@pytest.mark.parametrize("text", ADDRESSES.values(), ids=ADDRESSES)
def test_nothing_goes_to_an_address_that_nobody_agreed_to(clone: Repo, tmp_path: Path, text: str) -> None:
    there = tmp_path / "there"
    commit_config(clone, text.format(there=there))
    assert "git pivot trust" in push(clone)
    for command in COMMANDS:
        assert clone.pivot(*command).code in (0, 1, 2)
        assert not there.exists() and not clone.exists("sub"), command
    assert clone.exists(f"{STORE}/pivot-store")


def test_a_committed_store_is_no_way_to_the_history_of_a_repository(clone: Repo, tmp_path: Path) -> None:
    theirs = code(tmp_path / "theirs.git")
    commit_config(clone, f"[pivot]\n\tstore = {theirs}\n")
    for command in ("trust --yes", "repro", "gc --keep-runs 0"):
        clone.pivot(*command.split())
    clone.git("config", "pivot.store", str(theirs))  # even where the user says so
    said = clone.pivot("gc", "--keep-runs", "0").expect(2).err
    assert "is not a store of outputs" in said
    run(theirs, "rev-parse", "--verify", "main^{commit}")
    assert not (theirs / "large").exists()


def test_an_address_counts_after_a_yes_and_a_changed_one_is_asked_about_again(clone: Repo, tmp_path: Path) -> None:
    commit_config(clone, f'[pivot-remote "lab"]\n\turl = {tmp_path}/lab\n')
    assert "pivot-remote.lab.url" in clone.pivot("trust").expect(1).err
    clone.pivot("trust", "--yes").expect(0)
    assert "lab has the outputs now" in push(clone)
    assert (tmp_path / "lab/pivot-store").is_file()
    commit_config(clone, f'[pivot-remote "lab"]\n\turl = {tmp_path}/other\n')
    assert "outputs and results were not pushed" in push(clone)
    assert "has not agreed" in clone.pivot("remote", "check", "lab").expect(2).err
    assert not (tmp_path / "other").exists()


def test_a_required_remote_that_nobody_agreed_to_stops_the_push(clone: Repo, tmp_path: Path) -> None:
    commit_config(clone, f'[pivot-remote "lab"]\n\turl = {tmp_path}/lab\n\trequired = true\n')
    said = clone.run("git", "push", "origin", "main")
    assert (said.code, "git push --no-verify" in said.err) == (1, True)


def test_init_agrees_only_when_it_is_asked_to(clone: Repo, tmp_path: Path) -> None:
    commit_config(clone, f'[pivot-remote "lab"]\n\turl = {tmp_path}/lab\n')
    said = clone.pivot("init").expect(0).err
    assert f"pivot-remote.lab.url = {tmp_path}/lab" in said and "Run `git pivot trust`" in said
    assert clone.pivot("remote", "list").out == ""
    clone.pivot("init", "--trust").expect(0)
    assert clone.pivot("remote", "list").out == f"lab\t{tmp_path}/lab (default)\n"


def test_whoever_writes_a_shared_address_uses_it_and_a_clone_does_not(clone: Repo, tmp_path: Path) -> None:
    clone.pivot("remote", "add", "lab", str(tmp_path / "lab"), "--shared", "--default").expect(0)
    clone.commit("where outputs are")
    assert "lab has the outputs now" in push(clone)
    other = Repo(tmp_path / "other")
    clone.git("clone", "--quiet", str(tmp_path / "server.git"), str(other.path))
    assert "has not agreed" in other.pivot("remote", "check").expect(2).err


def test_the_users_own_configuration_needs_no_further_word(clone: Repo, tmp_path: Path) -> None:
    clone.git("config", "pivot.store", str(tmp_path / "own"))
    ran(clone)
    assert (tmp_path / "own/pivot-store").is_file()


def test_a_shared_store_in_the_git_folder_is_used_after_a_yes(clone: Repo) -> None:
    commit_config(clone, "[pivot]\n\tstore = .git/pivot/second.git\n")
    ran(clone)
    assert not clone.exists(".git/pivot/second.git")
    clone.pivot("trust", "--trust").expect(0)
    clone.pivot("repro").expect(0)
    assert clone.exists(".git/pivot/second.git/pivot-store")


def test_an_address_with_control_characters_is_shown_quoted(clone: Repo) -> None:
    commit_config(clone, '[pivot-remote "lab"]\n\turl = "host:\\bx\\tevil"\n')
    said = clone.pivot("trust").expect(1).err
    assert '"host:\\bx\\tevil"' in said


def test_addresses_that_do_not_count_are_named_once_for_each_change(clone: Repo) -> None:
    for url in ("/srv/one", "/srv/two"):
        commit_config(clone, f'[pivot-remote "lab"]\n\turl = {url}\n')
        said = [clone.pivot(command).expect(0).err for command in ("status", "status", "repro", "repro", "status")]
        assert ["git pivot trust" in err for err in said] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "keys, code",
    [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("what\nn\n", 1), ("\x04", 1), ("\x03", 130)],
    ids=["y", "yes", "n", "nothing", "neither, then n", "end of file", "Ctrl-C"],
)
def test_the_question_at_a_terminal_takes_nothing_but_yes_for_an_answer(repo: Repo, keys: str, code: int) -> None:
    commit_config(repo, '[pivot-remote "lab"]\n\turl = /srv/lab\n')
    with closing(Terminal(repo, "trust")) as terminal:
        terminal.wait_for("Use it in this clone? [y/N]")
        terminal.type(keys)
        assert terminal.wait() == code
    assert "Traceback" not in terminal.text and "bug:" not in terminal.text
    agreed = repo.run("git", "config", "--get-all", "pivot.trusted").out
    assert ("/srv/lab" in agreed) == (code == 0)
