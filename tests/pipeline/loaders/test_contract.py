"""The contract of every shipped loader: what it wrote it reads, the same bytes each time, and a clear error else.

Rows whose library is not installed are skipped; the loader's own sentence about that is tested apart.
"""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pivot import loaders
from pivot.errors import InputError, PivotError


@dataclasses.dataclass(frozen=True)
class Case:
    """`value` is Python text, evaluated when its library is there; `broken` are bytes that the loader must refuse."""

    loader: Any
    file: str
    value: str
    broken: bytes | None = None
    line: int | None = None
    library: str = ""
    empty: bool = True

    def make(self) -> Any:
        names = {self.library: pytest.importorskip(self.library)} if self.library else {}
        return eval(
            self.value, {name.partition(".")[0]: importlib.import_module(name.partition(".")[0]) for name in names}
        )


ROWS = "[{'a': '1', 'b': 'x;\\n\"y'}, {'a': '', 'b': 'é'}]"
PANDAS = loaders.CSV(frame="pandas")
INDEXED = loaders.CSV(";", index=True, frame="pandas")
CASES = [
    Case(loaders.JSON(), "a.json", "{'b': [1, 2.5, None, True], 'a': 'é'}", b'{"a": 1,\n "b": }', 2),
    Case(loaders.JSON(indent=None, sort_keys=True, ensure_ascii=True), "a.json", "{'b': 'é', 'a': 1}", b"", 1),
    Case(loaders.JSON(), "bytes.json", "[]", b"\xff\xfe\x00"),
    Case(loaders.JSONLines(), "a.jsonl", "[{'a': 1}, [1, 'é\\u2028'], None]", b"1\n\n{]\n", 3),
    Case(loaders.YAML(), "a.yaml", "{'b': [1, 2.5, None], 'a': 'é: ' + 'long ' * 50}", b"a: 1\nb: [1,\n", 3, "yaml"),
    Case(loaders.YAML(sort_keys=True), "a.yaml", "{'b': 1, 'a': 2}", b"!!python/object/apply:os.getcwd []", 1, "yaml"),
    Case(loaders.CSV(), "a.csv", ROWS, b"a,b\n1,2\n3\n", 3),
    Case(loaders.CSV(sep=";"), "a.csv", ROWS, b"a;b\n1;2;3\n", 2),
    Case(loaders.CSV(encoding="utf-16"), "a.csv", ROWS, b"\xff"),
    Case(loaders.CSV(), "a.csv", "[]", b'a,b\n1,"2\n'),
    Case(loaders.CSV(columns=("a", "b")), "a.csv", "[]", b'a\n"1"2\n', 2),
    Case(loaders.Text(), "a.txt", "'é\\r\\n\\n'", b"\xff"),
    Case(loaders.Text(encoding="latin-1"), "a.txt", "'é'"),
    Case(loaders.Bytes(), "a.bin", "b'\\x00\\xff'"),
    Case(loaders.Pickle(), "a.pkl", "{'a': (1, {2})}", b"\x80\x05nonsense", empty=False),
    Case(loaders.Numpy(), "a.npy", "numpy.arange(6).reshape(2, 3)", b"no array", None, "numpy"),
    Case(loaders.Numpy(), "a.npz", "{'a': numpy.arange(3), 'b': numpy.ones(2)}", b"PK\x03\x04", None, "numpy"),
    Case(loaders.Numpy(compress=True), "a.npz", "{'a': numpy.zeros(99)}", b"", None, "numpy"),
    Case(PANDAS, "a.csv", "pandas.DataFrame({'a': [0.1, 1 / 3]})", b"a\n1,2\n3,4,5\n", None, "pandas"),
    Case(INDEXED, "a.csv", "pandas.DataFrame({'a': [1]}, index=['x'])", b"a\n1;2;3\n1;2;3;4\n", None, "pandas"),
    Case(loaders.CSV(frame="polars"), "a.csv", "polars.DataFrame({'a': [1, 2]})", b"a\n1,2,3\n", None, "polars"),
    Case(loaders.Parquet(), "a.parquet", "pandas.DataFrame({'a': [1, 2], 'b': ['x', None]})", b"PAR", None, "pandas"),
    Case(loaders.Parquet("polars"), "a.parquet", "polars.DataFrame({'a': [1, 2]})", b"PAR", None, "polars"),
    Case(loaders.Feather(), "a.feather", "pandas.DataFrame({'a': [1, 2]})", b"ARROW", None, "pandas"),
    Case(loaders.Feather("polars"), "a.feather", "polars.DataFrame({'a': [1, 2]})", b"ARROW", None, "polars"),
    Case(loaders.Image(), "a.png", "PIL.Image.new('RGB', (3, 2), (1, 2, 3))", b"\x89PNG", None, "PIL.Image", False),
]  # fmt: skip


def name_of(case: Case) -> str:
    return f"{loaders.describe(case.loader)} {case.file} {case.library}".strip()


every_case = pytest.mark.parametrize("case", CASES, ids=name_of)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if hasattr(left, "equals"):
        return bool(left.equals(right))
    if hasattr(left, "tobytes"):
        return bool(left.tobytes() == right.tobytes() and getattr(left, "dtype", 0) == getattr(right, "dtype", 0))
    return bool(left == right and type(left) is type(right))


@every_case
def test_what_was_written_is_read(case: Case, tmp_path: Path) -> None:
    value = case.make()
    case.loader.save(value, tmp_path / case.file)
    assert same(case.loader.load(tmp_path / case.file), value) or getattr(case.loader, "sort_keys", False)


@every_case
def test_two_writes_of_one_value_are_the_same_bytes(case: Case, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        file = tmp_path / name / case.file
        file.parent.mkdir()
        case.loader.save(case.make(), file)
        written.append(file.read_bytes())
    assert written[0] == written[1]
    assert written[0] or case.value == "[]"


@every_case
def test_a_file_that_it_cannot_read_is_named_with_its_line(case: Case, tmp_path: Path) -> None:
    if case.broken is None:
        pytest.skip("every file will do")
    case.make()
    file = tmp_path / case.file
    file.write_bytes(case.broken)
    with pytest.raises(InputError) as caught:
        case.loader.load(file)
    assert caught.value.what.startswith("this is not ")
    assert caught.value.hint == "Mend the file, or name another loader."
    assert str(caught.value.where).startswith(f"{file}:{case.line}" if case.line else str(file))


@every_case
def test_a_missing_file_is_a_missing_file(case: Case, tmp_path: Path) -> None:
    case.make()
    with pytest.raises(FileNotFoundError):
        case.loader.load(tmp_path / case.file)


@every_case
def test_the_empty_value_can_be_written_and_read(case: Case, tmp_path: Path) -> None:
    case.make()
    assert hasattr(case.loader, "empty") is case.empty
    if case.empty:
        case.loader.save(case.loader.empty(), tmp_path / case.file)
        assert len(case.loader.load(tmp_path / case.file)) == 0


@every_case
def test_a_loader_is_frozen_and_told_apart_by_its_settings(case: Case) -> None:
    assert case.loader == eval(loaders.describe(case.loader), vars(loaders))
    assert hash(case.loader) == hash(dataclasses.replace(case.loader))
    for field in dataclasses.fields(case.loader):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(case.loader, field.name, None)


def test_only_settings_that_differ_from_the_default_are_described() -> None:
    assert loaders.describe(loaders.CSV(sep=";")) == "CSV(sep=';')"
    assert loaders.describe(loaders.CSV(sep=",")) == "CSV()"


def test_lines_end_in_a_line_feed_and_are_not_folded(tmp_path: Path) -> None:
    loaders.CSV().save([{"a": "x y"}], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"a\nx y\n"
    loaders.YAML().save({"a": "word " * 50 + "end"}, tmp_path / "a.yaml")
    assert (tmp_path / "a.yaml").read_bytes().count(b"\n") == 1


def test_toml_is_read() -> None:
    assert not hasattr(loaders.TOML(), "save")


def test_toml_errors_name_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("a = 1\nb = \n")
    with pytest.raises(InputError) as caught:
        loaders.TOML().load(tmp_path / "a.toml")
    assert caught.value.where == f"{tmp_path}/a.toml:2"
    (tmp_path / "a.toml").write_text("a = 1\n")
    assert loaders.TOML().load(tmp_path / "a.toml") == {"a": 1}


def test_a_byte_order_mark_is_not_part_of_the_value(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert loaders.CSV().load(tmp_path / "a") == [{"a": "1", "b": "2"}]
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf[1]")
    assert loaders.JSON().load(tmp_path / "a") == [1]


def test_rows_of_different_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"row 2 has the columns \['b'\], the first row has \['a'\]"):
        loaders.CSV().save([{"a": 1}, {"b": 2}], tmp_path / "a.csv")


def test_numpy_numbers_are_json_numbers(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    loaders.JSON(indent=None).save({"a": numpy.int64(3), "b": numpy.arange(2), "c": numpy.float32(0.5)}, tmp_path / "a")
    assert (tmp_path / "a").read_text() == '{"a": 3, "b": [0, 1], "c": 0.5}\n'


def test_arrays_of_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(ValueError, match="allow_pickle"):
        loaders.Numpy().save(numpy.array([object()]), tmp_path / "a.npy")


@pytest.mark.parametrize("file", ["a.png", "a.svg", "a.pdf"])
def test_a_figure_is_the_same_bytes_each_time(file: str, tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().plot([1, 2, 3], label="x")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        loaders.Matplotlib().save(figure, tmp_path / name / file)
    first, second = ((tmp_path / name / file).read_bytes() for name in ("one", "two"))
    assert first == second
    assert b"Date" not in first


# (loader, extra, how it is used)
NEEDS: list[tuple[Any, str, Callable[[Any, Path], Any]]] = [
    (loaders.Numpy(), "numpy", lambda loader, file: loader.load(file)),
    (loaders.CSV(frame="pandas"), "pandas", lambda loader, file: loader.load(file)),
    (loaders.CSV(frame="polars"), "polars", lambda loader, file: loader.empty()),
    (loaders.Parquet(), "pandas", lambda loader, file: loader.load(file)),
    (loaders.Feather("polars"), "polars", lambda loader, file: loader.load(file)),
    (loaders.Image(), "image", lambda loader, file: loader.load(file)),
    (loaders.Matplotlib(), "matplotlib", lambda loader, file: loader.save(None, file)),
]


@pytest.mark.parametrize(("loader", "extra", "use"), NEEDS, ids=[loaders.describe(row[0]) for row in NEEDS])
def test_a_missing_library_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loader: Any, extra: str, use: Callable[[Any, Path], Any]
) -> None:
    for library in ("numpy", "pandas", "polars", "PIL", "PIL.Image", "matplotlib"):
        monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "a").write_text("a\n1\n")
    with pytest.raises(PivotError) as caught:
        use(loader, tmp_path / "a")
    assert f"{type(loader).__name__} needs the package" in caught.value.what
    assert caught.value.hint == f"Run: pip install 'git-pivot[{extra}]'"


def test_no_loader_imports_its_library_before_it_is_used() -> None:
    code = "import sys; from pivot import loaders; dir(loaders); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"yaml", "numpy", "pandas", "polars", "PIL", "matplotlib", "pyarrow"} & set(found)
