"""How two states of an output differ, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivot.history.output_text import content_lines
from pivot.state.records import Output
from pivot.store import StatCache, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store.git")


def put(store: Store, folder: Path, files: dict[str, str | bytes]) -> Output:
    """A directory output with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    held = store.put(folder, StatCache.open(folder.with_name("stat")))
    return Output(held.id, held.mode, held.size)


def test_a_directory_is_compared_file_by_file(store: Store, tmp_path: Path) -> None:
    old = put(store, tmp_path / "old", {"a.txt": "1\n", "below/b.txt": "same\n", "gone.txt": "x\n"})
    new = put(store, tmp_path / "new", {"a.txt": "2\n", "below/b.txt": "same\n", "new.txt": "y\n"})
    said = list(content_lines(store, "out", old, new))
    assert [line for line in said if line.startswith("--- ")] == [
        "--- a/out/a.txt",
        "--- a/out/gone.txt",
        "--- a/out/new.txt",
    ]
    assert {"-1", "+2", "-x", "+y"} <= set(said)


def test_what_is_large_or_no_text_or_not_here_is_said_to_be(store: Store, tmp_path: Path) -> None:
    old = put(store, tmp_path / "old", {"big": b"x" * (1 << 20), "binary": b"\xff", "empty": ""})
    new = put(store, tmp_path / "new", {"big": b"y" * (1 << 20), "binary": b"\xfe", "empty": "z\n"})
    assert list(content_lines(store, "out", old, new))[:2] == ["(out/big: more than 256 KiB)", "(out/binary: not text)"]
    lost = Output("1" * 40, new.mode, 1)
    assert list(content_lines(store, "out", old, lost)) == ["(out: its bytes are not here)"]
