"""Loaders of tables: as rows without any library, or as data frames of pandas or polars."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pivot.pipeline.loaders.protocol import import_library, malformed

Frame = Literal["pandas", "polars"]
_EXTRA_KEY = "\0more"


@dataclass(frozen=True, slots=True)
class CSV:
    """A table with a head line: a list of `dict[str, str]`, or a data frame. Lines end in a line feed.

    Args:
        sep: between the fields of a row.
        encoding: one that Python knows.
        columns: the head of a table without rows.
        index: pandas' index is the first column.
        frame: what is read; an artifact annotated as a pandas or polars `DataFrame` sets it by itself.
    """

    sep: str = ","
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    index: bool = False
    frame: Literal["rows", "pandas", "polars"] = "rows"

    def load(self, path: Path) -> Any:
        if self.frame == "rows":
            return self._load_rows(path)
        if _is_blank(path):
            return self.empty()
        return self._load_pandas(path) if self.frame == "pandas" else self._load_polars(path)

    def save(self, value: Any, path: Path) -> None:
        library = frame_library(type(value))
        if library == "pandas":
            value.to_csv(path, sep=self.sep, encoding=self.encoding, index=self.index, lineterminator="\n")
        elif library == "polars":
            value.write_csv(path, separator=self.sep, line_terminator="\n")
        else:
            self._save_rows(value, path)

    def empty(self) -> Any:
        if self.frame == "rows":
            return []
        return import_library(self.frame, self.frame, "CSV").DataFrame({name: [] for name in self.columns})

    def _load_rows(self, path: Path) -> list[dict[str, str]]:
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.DictReader(file, delimiter=self.sep, strict=True, restkey=_EXTRA_KEY)
            try:
                return [_whole_row(row, reader, path) for row in reader]
            except (csv.Error, UnicodeDecodeError) as error:
                raise malformed(path, "CSV", error, reader.reader.line_num or None) from error

    def _save_rows(self, rows: Sequence[dict[str, Any]], path: Path) -> None:
        rows = list(rows)
        columns = list(rows[0]) if rows else list(self.columns)
        for number, row in enumerate(rows, 1):
            if row.keys() != set(columns):
                raise ValueError(f"row {number} has the columns {list(row)}, the first row has {columns}")
        with path.open("w", encoding=self.encoding, newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=self.sep, lineterminator="\n")
            if columns:
                writer.writeheader()
            writer.writerows(rows)

    def _load_pandas(self, path: Path) -> Any:
        pandas = import_library("pandas", "pandas", "CSV")
        # Before pandas 3 the default reads some numbers a little wrong; from then on naming it is deprecated.
        precision = {"float_precision": "round_trip"} if pandas.__version__.startswith(("1.", "2.")) else {}
        index = 0 if self.index else None
        try:
            return pandas.read_csv(path, sep=self.sep, encoding=self.encoding, index_col=index, **precision)
        except ValueError as error:
            raise malformed(path, "CSV", error) from error

    def _load_polars(self, path: Path) -> Any:
        polars = import_library("polars", "polars", "CSV")
        try:
            return polars.read_csv(path, separator=self.sep, encoding=self.encoding)
        except polars.exceptions.PolarsError as error:
            raise malformed(path, "CSV", error) from error


@dataclass(frozen=True, slots=True)
class Parquet:
    """A data frame in a Parquet file. Needs the extra `pandas` or `polars`.

    Args:
        frame: what is read, as for `CSV`; what is written says itself what it is.
    """

    frame: Literal["pandas", "polars"] = "pandas"

    def load(self, path: Path) -> Any:
        library = import_library(self.frame, self.frame, "Parquet")
        return _read_frame(library.read_parquet, path, "Parquet")

    def save(self, value: Any, path: Path) -> None:
        if _frame_of(value) == "polars":
            value.write_parquet(path)
        else:
            value.to_parquet(path, engine="pyarrow")

    def empty(self) -> Any:
        return import_library(self.frame, self.frame, "Parquet").DataFrame()


@dataclass(frozen=True, slots=True)
class Feather:
    """A data frame in a Feather (Arrow IPC) file. Needs the extra `pandas` or `polars`.

    Args:
        frame: as for `Parquet`.
    """

    frame: Literal["pandas", "polars"] = "pandas"

    def load(self, path: Path) -> Any:
        library = import_library(self.frame, self.frame, "Feather")
        return _read_frame(library.read_feather if self.frame == "pandas" else library.read_ipc, path, "Feather")

    def save(self, value: Any, path: Path) -> None:
        if _frame_of(value) == "polars":
            value.write_ipc(path)
        else:
            value.to_feather(path)

    def empty(self) -> Any:
        return import_library(self.frame, self.frame, "Feather").DataFrame()


def frame_library(kind: Any) -> Frame | None:
    """Which library's data frame a class is, without importing either."""
    if not isinstance(kind, type) or kind.__name__ != "DataFrame":
        return None
    library = kind.__module__.partition(".")[0]
    return "pandas" if library == "pandas" else "polars" if library == "polars" else None


def _whole_row(row: dict[str, str], reader: csv.DictReader[str], path: Path) -> dict[str, str]:
    if _EXTRA_KEY in row or None in row.values():
        head = len(reader.fieldnames or ())
        raise malformed(path, "CSV", f"the head has {head} fields, this row has not", reader.line_num)
    return row


def _is_blank(path: Path) -> bool:
    """A table without columns, which neither library reads back."""
    return path.stat().st_size <= len("\r\n") and not path.read_bytes().strip()


def _frame_of(value: Any) -> Frame:
    found = next((library for base in type(value).__mro__ if (library := frame_library(base))), None)
    if found is None:
        raise TypeError(f"a data frame of pandas or polars is needed, not {type(value).__qualname__}")
    return found


def _read_frame(read: Any, path: Path, kind: str) -> Any:
    # Arrow's and polars' errors have no base class in common but these; a missing file passes through.
    try:
        return read(path)
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise malformed(path, kind, error) from error
    except Exception as error:
        if type(error).__module__.startswith("polars"):
            raise malformed(path, kind, error) from error
        raise
