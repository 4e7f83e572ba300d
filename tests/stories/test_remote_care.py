"""What a remote has is asked, checked to the last byte, and mended from here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.repository import Repo, Result

PIPELINE = """
    from typing import Annotated
    import pivot

    Text = pivot.loaders.Text()

    def small(rows: Annotated[list, pivot.Dep("rows.json")]) -> Annotated[str, pivot.Out("small.txt", Text)]:
        return f"{rows}"

    def large(rows: Annotated[list, pivot.Dep("rows.json")]) -> Annotated[str, pivot.Out("large.txt", Text)]:
        return f"{rows}" * 200_000

    def many(
        rows: Annotated[list, pivot.Dep("rows.json")]
    ) -> Annotated[dict[str, str], pivot.DirectoryOut("many/", Text)]:
        return {f"{number}.txt": f"{number}" for number in range(3)}

    pipeline = pivot.Pipeline("p")
    for stage in (small, large, many):
        pipeline.register(stage)
"""


@pytest.fixture
def mine(repo: Repo) -> Repo:
    repo.write("pipeline.py", PIPELINE)
    repo.write("rows.json", "[1, 2, 3]")
    repo.git("config", "pivot-remote.lab.url", str(lab_of(repo)))
    repo.commit("a pipeline")
    repo.pivot("repro").expect(0)
    return repo


def lab_of(repo: Repo) -> Path:
    return repo.path.parent / "lab"


def push(repo: Repo) -> None:
    repo.pivot("push", "--remote", "lab", "--all").expect(0)


def ways(repo: Repo) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(repo.pivot("status", "--remote", "--json").expect(0).out)
    return {key: paths for key, paths in found.items() if isinstance(paths, list) and paths}


def large_file(lab: Path) -> Path:
    (found,) = (path for path in (lab / "large").rglob("*") if path.is_file())
    return found


def loose_file(repo: Repo, path: str) -> Path:
    oid = repo.git("hash-object", "--no-filters", path)
    return lab_of(repo) / "objects" / oid[:2] / oid[2:]


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_status_tells_on_which_side_bytes_are(mine: Repo) -> None:
    assert ways(mine) == {"here_only": ["large.txt", "many", "small.txt"]}
    push(mine)
    assert ways(mine) == {"both": ["large.txt", "many", "small.txt"]}
    large_file(mine.path / ".git/pivot/store.git").unlink()
    assert ways(mine) == {"both": ["many", "small.txt"], "there_only": ["large.txt"]}


def test_a_sound_remote_is_found_sound(mine: Repo) -> None:
    push(mine)
    assert "checked 3 results" in mine.pivot("fsck", "--remote", "lab").expect(0).out


def test_what_was_never_pushed_is_no_damage(mine: Repo) -> None:
    mine.pivot("push", "--remote", "lab", "small").expect(0)
    assert "not on lab: 2 results" in mine.pivot("fsck", "--remote", "lab").expect(0).out


@pytest.mark.parametrize(
    "path, harm, line",
    [
        ("large.txt", "gone", "missing: large.txt"),
        ("large.txt", "other bytes", "damaged: large.txt"),
        ("many/1.txt", "gone", "missing: 1.txt"),
        ("many/1.txt", "other bytes", "missing: 1.txt"),  # Git there cannot read it at all
    ],
)
def test_harm_is_named_and_mended_from_here(mine: Repo, path: str, harm: str, line: str) -> None:
    push(mine)
    file = large_file(lab_of(mine)) if path == "large.txt" else loose_file(mine, path)
    file.unlink() if harm == "gone" else overwrite(file, b"x" * file.stat().st_size)
    said = mine.pivot("fsck", "--remote", "lab").expect(1).out
    assert f"  {line}" in said
    assert "again: git pivot fsck --remote lab --mend" in said
    mine.pivot("fsck", "--remote", "lab", "--mend")
    assert "none of them lost something" in mine.pivot("fsck", "--remote", "lab").expect(0).out


def run_anew(repo: Repo, rows: str) -> None:
    repo.write("rows.json", rows)
    repo.commit(f"rows {rows}")
    repo.pivot("repro").expect(0)


def long_ago(repo: Repo) -> None:
    """Everybody pushed long ago."""
    for mark in (lab_of(repo) / "recent").iterdir():
        os.utime(mark, (0, 0))


def clean(repo: Repo, *options: str) -> Result:
    return repo.pivot("gc", "--remote", "lab", "--keep-runs", "0", "--age", "0", *options)


def bytes_of(lab: Path) -> int:
    return sum(path.stat().st_size for path in lab.rglob("*") if path.is_file() and "recent" not in path.parts)


def test_a_clean_up_takes_from_the_remote_what_no_commit_stands_on(mine: Repo) -> None:
    push(mine)
    small = bytes_of(lab_of(mine))
    run_anew(mine, "[4, 5, 6]")
    push(mine)
    mine.git("reset", "--quiet", "--hard", "HEAD~1")
    mine.pivot("repro").expect(0)
    mine.git("reflog", "expire", "--expire=now", "--all")
    assert "lab: removed 0 objects" in clean(mine).expect(0).out  # pushed today
    long_ago(mine)
    would = clean(mine, "-n").expect(0).out
    assert "1 large file" in would and bytes_of(lab_of(mine)) > 2 * small - 10_000
    assert clean(mine).expect(0).out.splitlines()[-1] == would.splitlines()[-1].replace("would remove", "removed")
    assert abs(bytes_of(lab_of(mine)) - small) < 2_000
    assert "none of them lost something" in mine.pivot("fsck", "--remote", "lab").expect(0).out


def test_a_clean_up_asks_every_repository_that_pushes_there(mine: Repo, tmp_path: Path) -> None:
    push(mine)
    other = Repo.init(tmp_path / "other")
    other.write("pipeline.py", PIPELINE)
    other.git("config", "pivot-remote.lab.url", str(lab_of(mine)))
    other.write("rows.json", "[7]")
    other.commit("another project")
    other.pivot("repro").expect(0)
    push(other)
    long_ago(mine)
    assert "lab: removed 0 objects, 0 large files" in clean(mine).expect(0).out
    (tmp_path / "other").rename(tmp_path / "away")
    said = clean(mine).expect(2).err
    assert f"{tmp_path}/other/.git pushes here too" in said
