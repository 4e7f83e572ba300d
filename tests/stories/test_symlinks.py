"""A symlink as an output is stored, restored and compared as a symlink, wherever it points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran, settled

PIPELINE = """
import os
from pathlib import Path
from typing import Annotated

import pivot

TARGET = "{target}"
pipeline = pivot.Pipeline("links")
Here = pivot.loaders.PathOnly()

@pipeline.register
def link() -> Annotated[Path, pivot.Out("link", Here)]:
    os.symlink(TARGET, "link")
    return Path("link")

@pipeline.register
def folder() -> Annotated[Path, pivot.Out("folder/", Here)]:
    os.makedirs("folder/below")
    os.symlink(TARGET, "folder/below/inner")
    return Path("folder")

@pipeline.register
def reads(above: Annotated[Path, pivot.Dep("link", Here)]) -> Annotated[str, pivot.Out("text")]:
    return os.readlink(above)
"""
TARGETS = {
    "dangling": "nowhere",
    "a file": "data.txt",
    "a folder": "data",
    "itself": "link",
    "outside": "/etc/hostname",
}
LINKS = ("link", "folder/below/inner")


@pytest.fixture(params=list(TARGETS.values()), ids=list(TARGETS))
def linked(repo: Repo, request: pytest.FixtureRequest) -> Repo:
    repo.write("data.txt", "data")
    repo.write("data/one.txt", "one")
    repo.write("pipeline.py", PIPELINE.format(target=request.param))
    repo.commit("links")
    ran(repo)
    return repo


def links(repo: Repo) -> set[str]:
    return {str((repo.path / path).readlink()) for path in LINKS}


def lose(repo: Repo) -> None:
    for path in LINKS:
        (repo.path / path).unlink()


def test_links_come_back_as_links(linked: Repo) -> None:
    before = links(linked)
    settled(linked)
    lose(linked)
    assert set(endings(linked).values()) == {"restored", "unchanged"}
    assert links(linked) == before
    settled(linked)
    assert linked.pivot("fsck").expect(0).out.endswith("none of them lost something\n")
    linked.pivot("verify").expect(0)


def test_checkout_brings_links_of_a_commit(linked: Repo) -> None:
    before = links(linked)
    lose(linked)
    linked.pivot("checkout", "--rev", "HEAD").expect(0)
    assert links(linked) == before


def test_another_target_is_another_output(linked: Repo) -> None:
    before = links(linked)
    lose(linked)
    (linked.path / "link").symlink_to("other")
    (linked.path / "folder/below/inner").symlink_to("other")
    assert "to restore" in linked.pivot("status").expect(0).out
    ran(linked)
    assert links(linked) == before


def test_a_file_with_the_text_of_a_link_is_no_link(linked: Repo) -> None:
    (before,) = links(linked)
    (linked.path / "link").unlink()
    (linked.path / "link").write_text(before)
    assert endings(linked)["link"] == "restored"
    assert links(linked) == {before}


def test_links_go_to_a_remote_and_come_back(linked: Repo, tmp_path: Path) -> None:
    before = links(linked)
    linked.git("init", "--quiet", "--bare", str(tmp_path / "git"))
    linked.git("remote", "add", "origin", str(tmp_path / "git"))
    linked.pivot("remote", "add", "shelf", str(tmp_path / "shelf")).expect(0)
    linked.pivot("push").expect(0)
    linked.git("push", "--quiet", "origin", "HEAD:main")
    linked.pivot("fsck", "--remote", "shelf").expect(0)
    clone = Repo(tmp_path / "git").clone(tmp_path / "clone", "--branch", "main")
    clone.pivot("remote", "add", "shelf", str(tmp_path / "shelf")).expect(0)
    clone.pivot("pull").expect(0)  # a link that only a note names stays out until the pipeline's code was looked at
    clone.pivot("checkout").expect(0)
    assert links(clone) == before


def test_a_switch_of_branches_follows_links(linked: Repo) -> None:
    before = links(linked)
    linked.pivot("init").expect(0)
    linked.git("switch", "--quiet", "-c", "other")
    linked.replace("pipeline.py", "os.symlink(TARGET,", "os.symlink('changed',")
    linked.commit("other")
    ran(linked)
    assert links(linked) == {"changed"}
    linked.git("switch", "--quiet", "-")
    assert linked.pivot("repro").code == 0
    assert links(linked) == before
