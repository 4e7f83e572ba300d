"""One story with each version of git, in each kind of repository: those that libgit2 refuses, and plain ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examples import DATA, HELPER
from tests.support.gits import needs_newer_git, use_newer_git
from tests.support.repository import Repo
from tests.support.stories import ran, settled

newer = (needs_newer_git, pytest.mark.slow)

# Name of the case -> options of `git init`, extensions that stand in the configuration.
KINDS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "sha256": (("--object-format=sha256",), {}),
    "partial-clone": ((), {"partialClone": "origin"}),
    "newer-reftable": (("--ref-format=reftable",), {}),
    "newer-sha256-reftable": (("--ref-format=reftable", "--object-format=sha256"), {}),
    "newer-unknown-extension": ((), {"refStorage": "files"}),
}


@pytest.fixture(params=[pytest.param(kind, marks=newer if "newer" in kind else ()) for kind in KINDS])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if "newer" in request.param:
        use_newer_git(monkeypatch)
    return str(request.param)


def extend(repo: Repo, kind: str) -> None:
    """The extensions of this kind: a clone does not inherit them."""
    for name, value in KINDS[kind][1].items():
        repo.git("config", "core.repositoryFormatVersion", "1")
        repo.git("config", f"extensions.{name}", value)


@pytest.fixture
def server(kind: str, tmp_path: Path) -> Repo:
    """A bare repository of this kind with the example in it."""
    options = KINDS[kind][0]
    first, bare = Repo.init(tmp_path / "first", *options), Repo.init(tmp_path / "server.git", "--bare", *options)
    first.write("data.json", DATA)
    first.write("pipeline.py", HELPER)
    first.commit("the example")
    first.git("push", "--quiet", str(bare.path), "main")
    return bare


def clone(server: Repo, name: str, kind: str) -> Repo:
    """A clone of this kind, with the outputs where all others keep them."""
    made = Repo(server.path.with_name(name))
    formats = [option for option in KINDS[kind][0] if option.startswith("--ref-format")]
    server.git("clone", "--quiet", *formats, f"file://{server.path}", str(made.path))
    made.git("config", "pivot.store", str(server.path.with_name("outputs.git")))
    extend(made, kind)
    made.pivot("init").expect(0)
    return made


def test_results_survive_a_branch_and_reach_another_clone(kind: str, server: Repo) -> None:
    one = clone(server, "one", kind)
    assert sorted(ran(one)) == ["count", "process"]
    one.git("switch", "--quiet", "--create", "topic")
    one.replace("pipeline.py", "value / top", "2 * value / top")
    assert ran(one) == ["process"]
    one.commit("twice")
    one.git("switch", "--quiet", "main")
    settled(one)
    one.pivot("push").expect(0)
    two = clone(server, "two", kind)
    two.pivot("pull").expect(0)
    settled(two)
    assert two.pivot("show", "--json").json() == one.pivot("show", "--json").json()
    one.pivot("gc", "--keep-runs", "0").expect(0)
    settled(one)
