"""Inputs that Git has and the working tree lacks: the message names the command, and the command is enough."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

READS = """
from pathlib import Path
from typing import Annotated
import pivot

pipeline = pivot.Pipeline("reads")

@pipeline.register
def read(raw: Annotated[Path, pivot.Dep("{path}", pivot.loaders.PathOnly())]) -> Annotated[str, pivot.Out("out.txt")]:
    files = [raw] if raw.is_file() else sorted(raw.rglob("*.csv"))
    return "".join(file.read_text() for file in files)
"""

# Git refuses submodules on a local path unless the call allows it.
LOCAL = ("-c", "protocol.file.allow=always")


def reading(repo: Repo, path: str) -> Repo:
    repo.write("pipeline.py", READS.format(path=path))
    repo.commit("reads")
    return repo


def brought_by(repo: Repo, *commands: str, said: str) -> None:
    """`status` and `repro` name the same reason and commands, in this order; with them the stage runs."""
    for verb in ("status", "repro"):
        text = repo.pivot(verb).out
        assert said in text
        assert re.findall(r"`git ([^`]*)`", text.partition("Git")[2] or text)[: len(commands)] == list(commands)
    for command in commands:
        repo.git(*LOCAL, *shlex.split(command))
        if "sparse-checkout" in command:
            break  # the second one is another way
    assert ran(repo) == ["read"]
    assert repo.read("out.txt") == "x\n"


def with_submodule(tmp_path: Path, repo: Repo, inner: Repo | None = None) -> Repo:
    """A repository whose submodule `data set` has `in/x.csv`, or the submodule `inner` with it."""
    data = Repo.init(tmp_path / "data")
    if inner:
        data.git(*LOCAL, "submodule", "--quiet", "add", str(inner.path), "inner")
    else:
        data.write("in/x.csv", "x\n")
    data.commit("data")
    repo.git(*LOCAL, "submodule", "--quiet", "add", str(data.path), "data set")
    return repo


@pytest.mark.parametrize("path", ["data set/in/x.csv", "data set/in"])
def test_a_submodule_that_is_not_initialised_is_named(tmp_path: Path, repo: Repo, path: str) -> None:
    reading(with_submodule(tmp_path, repo), path)
    clone = repo.clone(tmp_path / "clone")
    said = "Git has it in the submodule data set, which is not initialised"
    brought_by(clone, "submodule update --init 'data set'", said=said)


def test_the_empty_folder_of_a_submodule_is_no_input(tmp_path: Path, repo: Repo) -> None:
    reading(with_submodule(tmp_path, repo), "data set/")
    clone = repo.clone(tmp_path / "clone")
    assert "Git has it in the submodule data set" in clone.pivot("repro").expect(1).out


def test_a_submodule_inside_a_submodule_is_named_in_turn(tmp_path: Path, repo: Repo) -> None:
    inner = Repo.init(tmp_path / "innermost")
    inner.write("x.csv", "x\n")
    inner.commit("x")
    reading(with_submodule(tmp_path, repo, inner), "data set/inner/x.csv")
    clone = repo.clone(tmp_path / "clone")
    clone.git(*LOCAL, "submodule", "--quiet", "update", "--init", "data set")
    said = "Git has it in the submodule data set/inner, which is not initialised"
    brought_by(clone, "-C 'data set' submodule update --init inner", said=said)


@pytest.mark.parametrize("path", ["data/x.csv", "data"])
@pytest.mark.parametrize("mode", ["--cone", "--no-cone"])
def test_what_sparse_checkout_leaves_out_is_named(repo: Repo, path: str, mode: str) -> None:
    repo.write("data/x.csv", "x\n")
    repo.write("code/one.py", "")
    reading(repo, path)
    repo.git("sparse-checkout", "set", mode, *(["code"] if mode == "--cone" else ["/*.py"]))
    assert not repo.exists("data")
    commands = "sparse-checkout add data", "sparse-checkout disable"
    brought_by(repo, *commands, said="Git has it, and sparse checkout leaves it out")


def test_a_file_at_the_top_that_sparse_checkout_leaves_out_is_named(repo: Repo) -> None:
    repo.write("x.csv", "x\n")
    reading(repo, "x.csv")
    repo.git("sparse-checkout", "set", "--no-cone", "/*.py")
    brought_by(repo, "sparse-checkout add /x.csv", said="sparse checkout leaves it out")


def test_a_file_with_the_skip_worktree_flag_is_named(repo: Repo) -> None:
    repo.write("x.csv", "x\n")
    reading(repo, "x.csv")
    repo.git("update-index", "--skip-worktree", "x.csv")
    (repo.path / "x.csv").unlink()
    commands = "update-index --no-skip-worktree x.csv", "checkout -- x.csv"
    brought_by(repo, *commands, said="Git has it, marked skip-worktree")


def test_a_deleted_file_is_named_also_where_git_has_to_download_it(tmp_path: Path, repo: Repo) -> None:
    repo.write("x.csv", "x\n")
    reading(repo, "x.csv")
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone")
    clone.git("checkout", "HEAD", "--", "pipeline.py")
    brought_by(clone, "checkout HEAD -- x.csv", said="the last commit has it")
    (clone.path / "x.csv").unlink()
    assert "Git has it, and it is deleted here; run `git restore x.csv`" in clone.pivot("status").out


def test_an_empty_folder_of_ones_own_is_an_input_like_any_other(repo: Repo) -> None:
    reading(repo, "data").path.joinpath("data").mkdir()
    assert ran(repo) == ["read"]


def test_a_path_that_git_does_not_have_is_not_explained_by_git(repo: Repo) -> None:
    assert "input missing: data (pipeline.py:8): no stage writes it" in reading(repo, "data").pivot("status").out
