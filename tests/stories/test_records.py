"""Records: equal for equal situations on every machine, and their fingerprints follow from what stands in them."""

from __future__ import annotations

import shutil
from pathlib import Path

from pivot.state.records import parse_record
from tests.support.repository import Repo
from tests.support.stories import ran


def records(repo: Repo) -> dict[str, str]:
    """Path in the run cache -> text of each record."""
    listed = repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").splitlines()
    return {path: repo.git("show", f"refs/pivot/runs:{path}") for path in listed if path.endswith("/record")}


def test_the_fingerprint_of_every_record_follows_from_the_record(helper_page: Repo) -> None:
    ran(helper_page)
    found = records(helper_page)
    assert len(found) == 2
    for path, text in found.items():
        record = parse_record(text.encode() + b"\n")
        assert path == f"runs/{record.fingerprint[:2]}/{record.fingerprint[2:]}.{record.result}/record"
        assert record.to_bytes() == text.encode() + b"\n"


def test_two_clones_make_byte_equal_records(helper_page: Repo, tmp_path: Path) -> None:
    other = helper_page.clone(tmp_path / "another place" / "clone")
    other.replace("pipeline.py", "def normalize", "# a comment above the helper\n\n\ndef normalize")
    other.replace("pipeline.py", "pipeline.register(count)", "pipeline.register(count, name='renamed')")
    ran(helper_page)
    assert sorted(ran(other)) == ["process", "renamed"]
    assert records(helper_page) == records(other)


def test_a_fetch_brings_results_after_init_and_nothing_is_run(helper_page: Repo, tmp_path: Path) -> None:
    ran(helper_page)
    other = helper_page.clone(tmp_path / "clone")
    assert "origin" in other.pivot("init").expect(0).out
    other.git("fetch", "--quiet")
    plan = other.pivot("status", "--json").expect(0).json()
    # The results are known; their bytes are not here.
    assert {stage["reasons"][0]["why"] for stage in plan["stages"]} == {"not downloaded"}
    said = other.pivot("status").expect(0).out
    assert "outputs lost" not in said
    assert said.count("no remote is configured. Run `git pivot remote add NAME URL`, then `git pivot pull`.") == 1


def test_verify_says_once_that_outputs_are_not_downloaded(helper_page: Repo, tmp_path: Path) -> None:
    ran(helper_page)
    other = helper_page.clone(tmp_path / "clone")
    other.pivot("init").expect(0)
    said = other.pivot("verify").expect(1).out
    assert said.count("the store does not have") == 1
    assert "Not downloaded: no remote is configured. Run `git pivot remote add NAME URL`" in said
    other.git("config", "pivot-remote.lab.url", str(tmp_path / "lab"))
    assert "Run `git pivot pull` to download outputs." in other.pivot("verify").expect(1).out


def test_what_ran_here_and_is_gone_is_lost(helper_page: Repo) -> None:
    ran(helper_page)
    shutil.rmtree(helper_page.path / ".git/pivot/store.git")
    for name in ("processed.json", "count.json"):
        (helper_page.path / name).unlink()
    plan = helper_page.pivot("status", "--json").expect(0).json()
    assert {stage["reasons"][0]["why"] for stage in plan["stages"]} == {"outputs lost"}
