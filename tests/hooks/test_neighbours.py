"""Beside the programs that others manage hooks with, as they are: theirs run, ours run, and both can be removed."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from pathlib import Path

import pytest

from tests.hooks.support import change_process, git_says
from tests.hooks.tools import (
    HUSKY,
    LEFTHOOK,
    LFS,
    PRE_COMMIT,
    needs_husky,
    needs_lefthook,
    needs_lfs,
    needs_pre_commit,
)
from tests.support.gits import NEWER_GIT, use_newer_git
from tests.support.repository import Repo
from tests.support.stories import ran

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"

CONFIG = """\
default_install_hook_types: [pre-push, post-checkout]
repos:
- repo: local
  hooks:
  - id: theirs
    name: theirs
    language: system
    entry: sh -c 'echo "$PRE_COMMIT_REMOTE_BRANCH$PRE_COMMIT_CHECKOUT_TYPE" >>.git/theirs'
    stages: [pre-push, post-checkout]
    always_run: true
    pass_filenames: false
"""

LEFT_CONFIG = """\
pre-push:
  commands:
    theirs: {run: 'echo pushed >>.git/theirs'}
post-checkout:
  commands:
    theirs: {run: 'echo switched >>.git/theirs'}
"""


@pytest.fixture(params=["file", pytest.param("config", marks=pytest.mark.skipif(not NEWER_GIT, reason="newer git"))])
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How Git calls Pivot: from a file, or with a newer Git from its configuration."""
    if request.param == "config":
        use_newer_git(monkeypatch)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return str(request.param)


@pytest.fixture
def project(git: str, branches: Repo, tmp_path: Path) -> Repo:
    """As `branches`, with a remote and without any hook."""
    branches.pivot("hooks", "uninstall").expect(0)
    branches.git("remote", "add", "origin", f"file://{Repo.init(tmp_path / 'remote', '--bare').path}")
    return branches


def tool(repo: Repo, program: str | None, *args: str) -> str:
    assert program is not None
    return repo.run(program, *args).expect(0).out


def hooks_of(repo: Repo) -> dict[str, bytes]:
    found = (path for path in (repo.path / ".git/hooks").iterdir() if path.suffix != ".sample")
    return {path.name: path.read_bytes() for path in found}


def theirs(repo: Repo) -> list[str]:
    """What their hooks wrote down since the last look."""
    log = repo.path / ".git/theirs"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def both_run(repo: Repo, switched: str, pushed: str) -> None:
    """On a switch of branches and on a push, their hook runs once and ours does its work."""
    here = repo.git("branch", "--show-current")
    there = "main" if here == "other" else "other"
    before = repo.read("processed.json")
    theirs(repo)
    repo.git("switch", "--quiet", there)
    assert (repo.read("processed.json") != before, theirs(repo)) == (True, [switched])
    repo.git("commit", "--quiet", "--allow-empty", "--message", "more to push")
    repo.git("push", "--quiet", "origin", there)
    assert theirs(repo) == [pushed]
    remote = repo.git("ls-remote", "origin", "refs/notes/pivot").split()[0]
    assert remote == repo.git("rev-parse", "refs/notes/pivot")


@needs_pre_commit
@pytest.mark.parametrize("first", ["pre-commit", "pivot"])
def test_pre_commit(project: Repo, first: str) -> None:
    project.write(".git/info/exclude", ".pre-commit-config.yaml\nprocessed.json\ncount.json\n")
    project.write(".pre-commit-config.yaml", CONFIG)
    before = hooks_of(project)
    if first == "pivot":
        project.pivot("hooks", "install").expect(0)
    tool(project, PRE_COMMIT, "install")
    alone = hooks_of(project)
    if first == "pre-commit":
        project.pivot("hooks", "install").expect(0)
    both_run(project, "1", "refs/heads/main")
    tool(project, PRE_COMMIT, "install")  # as everybody does again some day
    both_run(project, "1", "refs/heads/other")
    project.pivot("hooks", "status").expect(0)
    project.pivot("hooks", "uninstall").expect(0)
    if first == "pre-commit":
        assert hooks_of(project) == alone
    tool(project, PRE_COMMIT, "uninstall")
    assert hooks_of(project) == before


@needs_pre_commit
def test_pre_commit_reads_our_definitions(repo: Repo) -> None:
    tool(repo, PRE_COMMIT, "validate-manifest", str(MANIFEST))


@needs_pre_commit
@pytest.mark.parametrize("git", ["file"], indirect=True)
def test_as_hooks_of_the_framework_they_do_the_same(project: Repo) -> None:
    """Defined as in `.pre-commit-hooks.yaml`, but taken from this installation."""
    definitions = textwrap.indent(MANIFEST.read_text().replace("language: python", "language: system"), "  ")
    kinds = sorted(set(re.findall(r"stages: \[(post-[\w-]+|pre-push)\]", definitions)))
    config = f"default_install_hook_types: [{', '.join(kinds)}]\nrepos:\n- repo: local\n  hooks:\n{definitions}"
    project.write(".git/info/exclude", ".pre-commit-config.yaml\nprocessed.json\ncount.json\n")
    project.write(".pre-commit-config.yaml", config)
    tool(project, PRE_COMMIT, "install")
    project.pivot("status").expect(0)
    other = project.read("processed.json")
    said = project.run("git", "switch", "main").expect(0)
    assert project.read("processed.json") != other, said
    project.git("merge", "--quiet", "other")
    assert project.read("processed.json") == other
    project.git("push", "--quiet", "origin", "main")
    assert project.git("ls-remote", "origin", "refs/notes/pivot")
    project.git("config", "pivot.requireFresh", "true")
    project.replace("data.json", "1", "7")
    project.commit("not run")
    assert "the push is stopped" in project.run("git", "push", "origin", "main").expect(1).out
    project.git("config", "pivot.prePush", "nonsense")
    project.run("git", "push", "--no-verify", "origin", "main").expect(0)


@needs_lefthook
@pytest.mark.parametrize("first", ["lefthook", "pivot"])
def test_lefthook(project: Repo, git: str, first: str) -> None:
    project.write(".git/info/exclude", "lefthook.yml\nprocessed.json\ncount.json\n")
    project.write("lefthook.yml", LEFT_CONFIG)
    if first == "pivot":
        project.pivot("hooks", "install").expect(0)
    tool(project, LEFTHOOK, "install")
    if first == "pivot" and git == "file":
        assert "lefthook has moved it" in project.pivot("hooks", "status").expect(1).out
    project.pivot("hooks", "install").expect(0)
    both_run(project, "switched", "pushed")
    project.pivot("hooks", "uninstall").expect(0)
    assert not [name for name, text in hooks_of(project).items() if b"git-pivot hook v" in text]


@needs_husky
def test_husky(project: Repo, git: str) -> None:
    project.write(".git/info/exclude", ".husky\nprocessed.json\ncount.json\n")
    tool(project, HUSKY)
    project.write(".husky/post-checkout", "echo switched >>.git/theirs\n")
    project.write(".husky/pre-push", "echo pushed >>.git/theirs\n")
    told = project.pivot("hooks", "install").expect(0).out
    for name, line in re.findall(r"add to its ([\w-]+): (.+)", told):
        hook = project.path / ".husky" / name
        hook.write_text((hook.read_text() if hook.exists() else "") + line + "\n")
    assert bool(re.search("add to its", told)) == (git == "file")
    tool(project, HUSKY)  # as each `npm install` does
    project.pivot("hooks", "status").expect(0)
    both_run(project, "switched", "pushed")
    project.pivot("hooks", "uninstall").expect(0)
    project.git("switch", "--quiet", "--detach", "HEAD~1")  # the lines that are left do no harm
    assert theirs(project) == ["switched"]


@needs_lfs
def test_git_lfs(project: Repo, git: str) -> None:
    project.git("lfs", "install", "--local")
    before = hooks_of(project)
    project.pivot("hooks", "install").expect(0)
    project.git("lfs", "track", "*.bin")
    project.write("large.bin", b"\0" * 2000)
    project.commit("with a large file")
    project.git("push", "--quiet", "origin", "other")
    assert project.git("ls-remote", "origin", "refs/notes/pivot")
    assert list((project.path.parent / "remote/lfs/objects").rglob("*")), "Git LFS has pushed nothing"
    assert git_says(project, "switch", "main") == ["other -> main: 1 output restored, 1 unchanged"]
    project.pivot("hooks", "uninstall").expect(0)
    assert hooks_of(project) == before
    project.git("lfs", "uninstall", "--local")


@needs_lfs
def test_git_lfs_after_us_is_told_by_itself_that_there_are_hooks(project: Repo, git: str) -> None:
    project.pivot("hooks", "install").expect(0)
    done = project.run(str(LFS), "install", "--local")
    assert (done.code == 0) == (git == "config"), done
    change_process(project)
    assert ran(project) == ["process"]
