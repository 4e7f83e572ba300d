"""Output of any kind becomes bounded lines and a bounded log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.pool.logs import LogFile, log_folder, logged_stages, logs_of
from pivot.pool.output_capture import Allowance, Capture, LineSplitter, PrintedLine

SPLITS = {
    "lines": ([b"a\nb\n"], ["a", "b"]),
    "a line in pieces": ([b"on", b"e li", b"ne\n"], ["one line"]),
    "no newline at the end": ([b"a\nb"], ["a", "b"]),
    "empty lines": ([b"\n\n"], ["", ""]),
    "Windows line ends": ([b"a\r\nb\r", b"\n"], ["a", "b"]),
    "a progress bar": ([b"\r 10%", b"\r 20%", b"\r100%\n"], ["( 10%)", "100%"]),
    "a bar in one piece": ([b"1\r2\r3\n"], ["3"]),
    "not UTF-8": ([b"\xff\xfe\n"], ["\ufffd\ufffd"]),
    "a character in two pieces": ([b"\xc3", b"\xa9\n"], ["\xe9"]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("chunks", "lines"), SPLITS.values(), ids=SPLITS.keys())
def test_output_is_split_into_lines(chunks: list[bytes], lines: list[str]) -> None:
    assert [show(line) for line in split(chunks)] == lines


def test_a_long_line_is_cut_between_characters() -> None:
    lines = split(["\xe9".encode() * 20_000])
    assert "".join(line.text for line in lines) == "\xe9" * 20_000
    assert all(len(line.text.encode()) <= 8192 for line in lines)


@given(st.text(alphabet="ab\xe9\u20ac\U0001f600\n", max_size=200), st.lists(st.integers(1, 7), max_size=80))
def test_how_output_is_cut_into_chunks_does_not_matter(text: str, sizes: list[int]) -> None:
    data, chunks = text.encode(), []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    found = [line.text for line in split([*chunks, data])]
    assert found == (text[:-1] if text.endswith("\n") else text).split("\n") if text else found == []


def test_a_log_keeps_the_head_and_the_tail(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs")
    for number in range(200_000):
        log.write_lines([f"{number:0100}"])
    log.close()
    text = Path(log.path).read_text()
    assert len(text) < (8 << 20) + (65 << 10)
    assert text.startswith(f"{0:0100}\n")
    assert text.endswith(f"{199_999:0100}\n")
    assert text.count("bytes left out") == 1


def test_the_last_five_logs_are_kept(tmp_path: Path) -> None:
    for number in range(8):
        log = LogFile(tmp_path)
        log.write_lines([str(number)])
        log.close()
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == [f"{number}\n" for number in range(3, 8)]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = LogFile(tmp_path / "file" / "logs")
    log.write_lines(["lost"])
    log.close()
    assert log.path == ""


def test_a_capture_never_waits(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    capture = Capture(read_end, LogFile(tmp_path))
    assert capture.read() == []
    os.write(write_end, b"one\ntwo")
    assert [line.text for line in capture.drain()] == ["one", "two"]
    assert not capture.ended
    os.close(write_end)
    assert capture.read() == []
    assert capture.ended
    capture.close()


@pytest.mark.parametrize("stage", ["a/b", "..", ".", "a b", "a@x=1,y=2", "\xe9" * 300, "CON", "x" * 400, "a\nb", "%2e"])
def test_every_stage_name_has_a_folder_of_its_own(tmp_path: Path, stage: str) -> None:
    folder = log_folder(tmp_path, stage)
    folder.mkdir()
    assert folder.parent == tmp_path
    assert folder.resolve() == tmp_path / folder.name
    assert len(folder.name) < 200


def test_no_two_stages_share_a_folder(tmp_path: Path) -> None:
    names = ["a/b", "a%2fb", "a", "A", ".", "..", "%2e", "x" * 400, "x" * 401]
    assert len({log_folder(tmp_path, name).name for name in names}) == len(names)


def test_stages_with_logs_are_told_by_their_names(tmp_path: Path) -> None:
    names = ["plain", ".dot", "train@\u00e9/x", "long" * 50, "gone" * 50]
    for name in names:
        log = LogFile(log_folder(tmp_path, name))
        log.write_lines([""])
        log.close()
    assert logged_stages(tmp_path, ["long" * 50, "never run"]) == ["long" * 50, "train@\u00e9/x", ".dot", "plain"]
    assert logged_stages(tmp_path / "nothing", []) == []


def split(chunks: list[bytes]) -> list[PrintedLine]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.finish()


def show(line: PrintedLine) -> str:
    return f"({line.text})" if line.passing else line.text


def test_logs_are_listed_newest_first(tmp_path: Path) -> None:
    for text in ("old", "new"):
        log = LogFile(log_folder(tmp_path, "a/b"))
        log.write_lines([text])
        log.close()
    assert [path.read_text() for path in logs_of(tmp_path, "a/b")] == ["new\n", "old\n"]
    assert logs_of(tmp_path, "never run") == []


@pytest.mark.parametrize("block", [b"a line\n" * 20_000, b"x" * 100_000, b"one\rtwo\r" * 9000, b"\n" * 99_000])
def test_a_flood_is_bounded_in_what_is_shown_and_kept(tmp_path: Path, block: bytes) -> None:
    read_end, write_end = os.pipe()
    capture, shown, written = Capture(read_end, LogFile(tmp_path / "log")), 0, 0
    while written < 48 << 20:
        written += os.write(write_end, block)
        shown += len(capture.read())
    os.write(write_end, b"\nthe last line\n")
    last = capture.drain()
    capture.close()
    os.close(write_end)
    assert shown + len(last) < 3 * Allowance.LINES
    assert capture.tail[-1] == "the last line"
    assert "not shown" in last[-1].text or last[-1].text == "the last line"
    text = Path(capture.log.path).read_bytes()
    assert len(text) < (8 << 20) + (65 << 10)
    assert text.endswith(b"the last line\n")


def test_lines_of_a_flood_are_shown_or_counted(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    capture, lines = Capture(read_end, LogFile(tmp_path / "log")), []
    block = b"".join(b"line %05d\n" % number for number in range(500))
    for _ in range(3000):
        assert os.write(write_end, block) == len(block)
        lines += capture.read()
    lines += capture.drain()
    said = [int(line.text.split()[1]) for line in lines if line.text.startswith("...")]
    assert sum(said) + len(lines) - len(said) == 3000 * 500
    log = capture.log
    capture.close()
    os.close(write_end)
    (gap,) = [line for line in Path(log.path).read_text().splitlines() if line.startswith("...")]
    assert int(gap.split()[1]) + Path(log.path).stat().st_size - len(gap) - 1 == 3000 * len(block)


@pytest.mark.parametrize(("seconds", "shown"), [(0, 0), (1, 0), (2, 1024), (3, 1536), (3600, 4096)])
def test_what_may_be_shown_comes_back_with_time(seconds: float, shown: int) -> None:
    allowance, many = Allowance(0), [PrintedLine("x")] * 5000
    assert len(allowance.take(many)) == 4096
    allowance.refill(seconds)
    assert len(allowance.take(many)) == shown
