from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import GitError, RecordError, UnknownVersion
from pivot.state.journal import Journal, format_line, parse_line
from tests.support.samples import finished

# One process: append `count` stages; every third time, clear what is pending.
APPENDER = """
import sys
from pathlib import Path
from pivot.state.journal import Journal
from tests.support.samples import finished
journal, start, count = Journal(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
seen = Path(sys.argv[1] + f".seen{start}")
for number in range(start, start + count):
    journal.append(finished(number))
    if number % 3 == 0:
        pending = journal.pending()
        with seen.open("a") as file:
            file.writelines(f"{item.stage}\\n" for item in pending)
        journal.clear(pending)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pivot" / "journal"


def test_what_was_appended_is_pending_in_its_order(path: Path) -> None:
    journal, stages = Journal(path), [finished(number, modules=("a.b",)) for number in range(3)]
    assert not journal.exists()
    for stage in stages:
        journal.append(stage)
    assert journal.pending() == stages
    assert journal.exists()


def test_what_was_flushed_is_taken_out_and_nothing_else(path: Path) -> None:
    journal = Journal(path)
    for number in range(3):
        journal.append(finished(number))
    journal.clear([finished(0), finished(2), finished(9)])
    assert journal.pending() == [finished(1)]
    journal.clear(journal.pending())
    assert not journal.exists()


def test_the_same_result_twice_counts_once(path: Path) -> None:
    journal = Journal(path)
    journal.append(finished(1))
    journal.append(finished(1))
    assert journal.pending() == [finished(1)]


@given(cut=st.integers(0, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_last_line_loses_only_itself(path: Path, cut: int) -> None:
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.append(finished(1))
    whole = path.stat().st_size
    journal.append(finished(2))
    os.truncate(path, min(whole + cut, path.stat().st_size - 2))
    assert journal.pending() == [finished(1)]
    journal.append(finished(3))
    assert journal.pending() == [finished(1), finished(3)]


def test_a_line_that_was_changed_on_disk_is_not_believed(path: Path) -> None:
    journal = Journal(path)
    journal.append(finished(1))
    path.write_bytes(path.read_bytes().replace(b"train", b"other"))
    path.write_bytes(path.read_bytes().replace(b"stage1", b"stage2"))
    assert journal.pending() == []
    with pytest.raises(RecordError, match="damaged"):
        parse_line(path.read_bytes().rstrip(b"\n"))


def test_a_line_of_a_newer_version_is_kept_for_the_one_who_can_read_it(path: Path) -> None:
    import xxhash

    body = format_line(finished(1)).partition(b" ")[2].replace(b'"version":1}', b'"version":9}')
    newer = xxhash.xxh3_64_hexdigest(body).encode() + b" " + body
    with pytest.raises(UnknownVersion):
        parse_line(newer)
    journal = Journal(path)
    journal.append(finished(2))
    path.write_bytes(path.read_bytes() + newer + b"\n")
    journal.clear(journal.pending())
    assert path.read_bytes() == newer + b"\n"


def test_sources_may_hold_any_text(path: Path) -> None:
    from dataclasses import replace

    odd = replace(finished(1), sources={"d": "a\r\n\u2028\0\ud800 b"})
    Journal(path).append(odd)
    assert Journal(path).pending() == [odd]


def test_a_journal_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GitError, match="the journal cannot be written") as raised:
        Journal(tmp_path / "file" / "journal").append(finished(1))
    assert raised.value.where == str(tmp_path / "file" / "journal")
    assert not Journal(tmp_path / "file" / "journal").exists()


def test_several_processes_append_and_clear_without_losing_a_line(path: Path) -> None:
    path.parent.mkdir()
    starts, count = (0, 100, 200, 300), 15
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(path), str(start), str(count)], cwd=Path(__file__).parents[2]
        )
        for start in starts
    ]
    assert [process.wait(timeout=60) for process in processes] == [0] * len(starts)
    seen = {line for file in path.parent.glob("journal.seen*") for line in file.read_text().splitlines()}
    seen |= {item.stage for item in Journal(path).pending()}
    assert seen == {f"stage{start + number}" for start in starts for number in range(count)}
