"""Records: equal for equal situations on every machine, and their fingerprints follow from what stands in them."""

from __future__ import annotations

from pathlib import Path

from pivot.git.records import parse_record
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
    assert {stage["reasons"][0]["why"] for stage in plan["stages"]} == {"outputs lost"}
