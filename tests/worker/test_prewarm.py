"""A code server that was ready before the save behaves as one that starts with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.workers import Bench

LIBRARY = """
import os
from pathlib import Path
with open(Path(__file__).with_name("imports"), "a") as file:
    print(os.getpid(), file=file)
try:
    import optional_part
except ImportError:
    optional_part = None
"""
STAGE = "return {text!r} + str(heavy.optional_part)"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed libraries with `heavy.py`, which keeps a list of the processes that import it."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "heavy.py").write_text(LIBRARY)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def imports(library: Path) -> list[int]:
    return [int(line) for line in (library / "imports").read_text().split()]


@pytest.fixture
def warmed(bench: Bench, library: Path) -> Bench:
    """A pipeline that was run once, with the next code server ready."""
    bench.stage(STAGE.format(text="one"), "import heavy")
    assert bench.stored(bench.done()) == b"oneNone"
    warm(bench, library)
    return bench


def warm(bench: Bench, library: Path) -> None:
    """Wait until one more process has imported the library."""
    count, end = len(imports(library)), time.monotonic() + 60
    while not (bench.workers.warm_up() and len(imports(library)) > count):
        assert time.monotonic() < end
        bench.workers.wait(0.02)


def save(bench: Bench, text: str) -> bytes:
    """Edit the stage, and run it in the server of the new code."""
    bench.stage(STAGE.format(text=text), "import heavy")
    bench.workers.model("pipeline.py", fresh=True)
    return bench.stored(bench.done())


def test_libraries_are_imported_before_the_code_changes(warmed: Bench, library: Path) -> None:
    before = imports(library)
    assert save(warmed, "two") == b"twoNone"
    assert imports(library) == before
    assert len(set(before)) == 2


def test_a_file_that_a_library_would_have_found_makes_it_begin_anew(warmed: Bench, library: Path) -> None:
    before = imports(library)
    (warmed.root / "optional_part.py").write_text("")
    assert save(warmed, "two").startswith(b"two<module 'optional_part'")
    assert len(imports(library)) == len(before) + 1


def test_after_an_import_that_sets_variables_nothing_is_early(bench: Bench, library: Path) -> None:
    bench.stage(STAGE.format(text="one"), "os.environ['HEAVY_THREADS'] = '1'\nimport heavy")
    bench.done()
    assert bench.workers.warm_up()
    time.sleep(0.5)
    assert len(imports(library)) == 1


def test_the_next_server_is_ready_after_an_import_that_failed(warmed: Bench, library: Path) -> None:
    warmed.write("1 /")
    warmed.workers.model("pipeline.py", fresh=True)
    warm(warmed, library)
    before = imports(library)
    assert save(warmed, "mended") == b"mendedNone"
    assert imports(library) == before
