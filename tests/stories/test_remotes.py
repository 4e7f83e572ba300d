"""Outputs reach a colleague through a remote: what is missing moves, once, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examples import DATA
from tests.support.repository import Repo

PIPELINE = """
    import pathlib
    from typing import Annotated
    import pivot

    def split(raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())]) -> Annotated[
        pathlib.Path, pivot.Out("parts/", pivot.loaders.PathOnly())
    ]:
        folder = pathlib.Path("parts")
        folder.mkdir()
        for number, row in enumerate(raw["records"]):
            (folder / f"{number}.txt").write_text(str(row))
        return folder

    def count(raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())]) -> Annotated[
        int, pivot.Out("count.json", pivot.loaders.JSON())
    ]:
        return len(raw["records"])

    pipeline = pivot.Pipeline("sharing")
    pipeline.register(split)
    pipeline.register(count)
"""


@pytest.fixture
def server(repo: Repo, tmp_path: Path) -> Repo:
    """A bare repository with two stages; what is cloned from it knows the remote `lab`."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", PIPELINE)
    repo.pivot("remote", "add", "lab", str(tmp_path / "lab"), "--shared").expect(0)
    repo.commit("two stages")
    return repo.clone(tmp_path / "server.git", "--bare")


def clone(server: Repo, name: str) -> Repo:
    made = server.clone(server.path.parent / name)
    made.pivot("init", "--trust").expect(0)
    return made


def pushed_from(server: Repo) -> Repo:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    one.pivot("push").expect(0)
    return one


def test_a_push_gives_outputs_and_then_results_and_a_pull_puts_them_in_place(server: Repo) -> None:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    said = one.pivot("push").expect(0).out
    assert said.index("lab: outputs: pushed 7 objects") < said.index("origin: new there: runs, notes")
    assert "outputs: nothing new" in one.pivot("push").expect(0).out
    two = clone(server, "two")
    assert "2 outputs put in place" in two.pivot("pull").expect(0).out
    assert (two.read("count.json"), two.status()) == (one.read("count.json"), "")
    assert "2 unchanged" in two.pivot("repro").expect(0).out


def test_one_stage_is_pulled_by_name_or_path(server: Repo) -> None:
    pushed_from(server)
    two = clone(server, "two")
    two.pivot("pull", "count").expect(0)
    assert (two.exists("count.json"), two.exists("parts")) == (True, False)
    two.pivot("fetch", "parts/1.txt").expect(0)
    two.pivot("get", "HEAD", "parts/1.txt", "-o", "seen").expect(0)
    assert "'b'" in two.read("seen")


def test_a_dry_run_moves_nothing_and_says_how_much_would(server: Repo, tmp_path: Path) -> None:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    assert "lab: outputs: would push 7 objects: " in one.pivot("push", "-n").expect(0).out
    assert not list((tmp_path / "lab").glob("objects/??"))


def test_targets_move_bytes_and_no_results(server: Repo) -> None:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    assert "origin" not in one.pivot("push", "lab", "count").expect(0).out
    assert "no stage and no output" in one.pivot("push", "nothing-like-it").expect(2).err


def test_a_word_that_is_no_remote_is_told_with_those_that_there_are(server: Repo, tmp_path: Path) -> None:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    assert "Remotes: lab" in one.pivot("push", "nas").expect(2).err
    one.pivot("remote", "add", "disk", str(tmp_path / "disk")).expect(0)
    assert "There are disk, lab, and nas is none of them" in one.pivot("push", "nas").expect(2).err


def test_pull_replaces_nothing_that_stands_there(server: Repo) -> None:
    pushed_from(server)
    two = clone(server, "two")
    two.write("count.json", "mine")
    said = two.pivot("pull").expect(0)
    assert two.read("count.json") == "mine"
    assert "is left as it is: count.json; `git pivot checkout` replaces it" in said.err
    two.pivot("checkout").expect(0)
    assert two.read("count.json").strip() == "3"


def test_pull_brings_nothing_of_a_stage_that_is_gone(server: Repo) -> None:
    one = pushed_from(server)
    one.replace("pipeline.py", "pipeline.register(count)", "")
    one.pivot("repro").expect(0)
    (one.path / "count.json").unlink()
    one.commit("count is gone")
    one.pivot("pull").expect(0)
    assert not one.exists("count.json")


def test_without_a_git_remote_outputs_move_alone(repo: Repo, tmp_path: Path) -> None:
    repo.write("data.json", DATA)
    repo.write("pipeline.py", PIPELINE)
    repo.commit("two stages")
    repo.pivot("repro").expect(0)
    repo.pivot("remote", "add", "disk", f"file://{tmp_path}/disk").expect(0)
    assert "pushed 7 objects" in repo.pivot("push").expect(0).out


def test_remotes_are_added_listed_and_forgotten(repo: Repo, tmp_path: Path) -> None:
    repo.pivot("remote", "add", "one", "lab:store").expect(0)
    repo.pivot("remote", "add", "two", str(tmp_path / "two"), "--default").expect(0)
    assert repo.pivot("remote", "list").expect(0).out == f"one\tlab:store\ntwo\t{tmp_path}/two (default)\n"
    assert "there is a remote two already" in repo.pivot("remote", "add", "two", "x:y").expect(2).err
    assert "can be reached, read and written" in repo.pivot("remote", "check").expect(0).out
    repo.pivot("remote", "remove", "two").expect(0)
    assert repo.pivot("remote", "list").expect(0).out == "one\tlab:store (default)\n"


@pytest.mark.parametrize("url", ["-oProxyCommand=x:y", "ssh://host", "ssh://-x/y", "https://host/x", "ssh://u:p@h/x"])
def test_what_is_no_address_is_refused(repo: Repo, url: str) -> None:
    assert "is no address of a remote" in repo.pivot("remote", "add", "lab", "--", url).expect(2).err


def test_an_empty_address_is_refused(repo: Repo) -> None:
    assert "the text is empty" in repo.pivot("remote", "add", "lab", "--", "").expect(2).err


def test_a_share_that_is_not_mounted_is_no_empty_remote(server: Repo, tmp_path: Path) -> None:
    one = pushed_from(server)
    two = clone(server, "two")
    two.pivot("pull", "count").expect(0)
    share = (tmp_path / "lab").rename(tmp_path / "unmounted")
    for args in (["fetch", "parts"], ["push", "lab", "count"], ["repro", "--pull"]):
        said = two.pivot(*args)
        assert said.code and "is not there any more: is what it stands on mounted?" in said.err + said.out
    assert not (tmp_path / "lab").exists() and not two.exists("parts")
    share.rename(tmp_path / "lab")
    two.pivot("repro", "--pull").expect(0)
    assert (two.read("parts/1.txt"), two.read("count.json")) == (one.read("parts/1.txt"), one.read("count.json"))


def test_a_revision_is_pushed_alone_and_all_fills_a_new_remote(server: Repo, tmp_path: Path) -> None:
    one = clone(server, "one")
    one.pivot("repro").expect(0)
    one.write("data.json", DATA.replace("b", "bb"))
    one.commit("other data")
    one.pivot("repro").expect(0)
    assert "would push 7 objects" in one.pivot("push", "-n", "--rev", "HEAD~1").expect(0).out
    assert "origin" not in one.pivot("push", "--rev", "HEAD~1").expect(0).out
    assert "nothing new" in one.pivot("push", "-n", "--rev", "HEAD~1").expect(0).out
    one.pivot("push").expect(0)
    one.pivot("remote", "add", "disk", str(tmp_path / "disk")).expect(0)
    one.pivot("push", "disk", "--all").expect(0)
    held = [{path.name for path in (tmp_path / name).glob("objects/??/*")} for name in ("lab", "disk")]
    assert held[0] == held[1]
