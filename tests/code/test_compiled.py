"""Kept code is the code of the very bytes, made by this Python; anything else is compiled again."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from pivot.code.importing import bytecode_cache
from pivot.code.importing.bytecode_cache import Compiled


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths that were compiled."""
    paths: list[str] = []

    def tell(source: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        paths.append(path)
        return builtins.compile(source, path, *args, **kwargs)

    monkeypatch.setattr(bytecode_cache, "compile", tell, raising=False)
    yield paths


def value(code: CodeType) -> object:
    names: dict[str, object] = {}
    exec(code, names)
    return names["x"]


def import_all(cache: Path, sources: dict[str, bytes], root: str = "/project") -> dict[str, object]:
    """What the modules say, as a new process would have them."""
    kept = Compiled.of(cache, Path(root), "pipeline.py")
    found = {path: value(kept.code(path, data)) for path, data in sources.items()}
    kept.keep()
    return found


def test_only_what_changed_is_compiled_again(tmp_path: Path, told: list[str]) -> None:
    import_all(tmp_path, {"/a.py": b"x = 1", "/b.py": b"x = 2"})
    told.clear()
    assert import_all(tmp_path, {"/a.py": b"x = 1", "/b.py": b"x = 3"}) == {"/a.py": 1, "/b.py": 3}
    assert told == ["/b.py"]


def test_the_same_bytes_elsewhere_name_their_own_path(tmp_path: Path) -> None:
    kept = Compiled.of(tmp_path, Path("/project"), "pipeline.py")
    assert [kept.code(path, b"x = 1").co_filename for path in ("/a.py", "/b.py")] == ["/a.py", "/b.py"]


def test_what_is_not_asked_for_any_more_goes(tmp_path: Path, told: list[str]) -> None:
    import_all(tmp_path, {"/a.py": b"x = 1", "/b.py": b"x = 2"})
    import_all(tmp_path, {"/a.py": b"x = 1"})
    told.clear()
    import_all(tmp_path, {"/b.py": b"x = 2"})
    assert told == ["/b.py"]


def test_another_work_tree_has_its_own(tmp_path: Path, told: list[str]) -> None:
    import_all(tmp_path, {"/a.py": b"x = 1"})
    told.clear()
    import_all(tmp_path, {"/a.py": b"x = 1"}, root="/copy")
    assert told == ["/a.py"]


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "other"])
def test_a_damaged_file_costs_time_only(tmp_path: Path, told: list[str], harm: str) -> None:
    import_all(tmp_path, {"/a.py": b"x = 1"})
    (place,) = (tmp_path / "compiled").iterdir()
    data = place.read_bytes()
    harmed = {"cut": data[:-1], "changed": data[:-1] + b"\xff", "emptied": b"", "other": b"no cache at all" * 4}
    place.write_bytes(harmed[harm])
    told.clear()
    assert import_all(tmp_path, {"/a.py": b"x = 1"}) == {"/a.py": 1}
    assert told == ["/a.py"]


def test_another_python_compiles_for_itself(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import_all(tmp_path, {"/a.py": b"x = 1"})
    told.clear()
    monkeypatch.setattr("sys.version", "3.99")
    import_all(tmp_path, {"/a.py": b"x = 1"})
    assert told == ["/a.py"]


def test_a_syntax_error_is_raised_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(SyntaxError):
            import_all(tmp_path, {"/a.py": b"x ="})


def test_a_place_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "compiled").write_text("in the way")
    assert import_all(tmp_path, {"/a.py": b"x = 1"}) == {"/a.py": 1}


def test_without_a_place_nothing_is_kept(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    kept = Compiled()
    kept.code("/a.py", b"x = 1")
    kept.keep()
    assert not list(tmp_path.iterdir())
