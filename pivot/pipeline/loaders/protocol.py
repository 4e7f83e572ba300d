"""What a loader is: a Reader turns a file into a value, a Writer a value into a file; many are both.

Any object with these methods will do; nothing has to be subclassed. A loader's settings belong to the loader
(`CSV(sep=";")`) and hold for reading and writing alike. A changed setting, or changed code of a custom loader, runs
its stages again.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pivot.errors import InputError, PivotError

ReadT_co = TypeVar("ReadT_co", covariant=True)
WrittenT_contra = TypeVar("WrittenT_contra", contravariant=True)
T = TypeVar("T")


class Reader(Protocol[ReadT_co]):
    """Reads a file."""

    @abstractmethod
    def load(self, path: Path) -> ReadT_co:
        """The value in the file; any exception says that the file cannot be read."""
        ...


class Writer(Protocol[WrittenT_contra]):
    """Writes a file."""

    @abstractmethod
    def save(self, value: WrittenT_contra, path: Path) -> None:
        """Write the value to a temporary file with the right extension, which is renamed when this is done."""
        ...


class Loader(Reader[T], Writer[T], Protocol[T]):
    """Reads and writes. `IncrementalOut` asks for one more method, `empty() -> T`: the value before the first run."""


def malformed(path: Path, kind: str, why: object, line: int | None = None) -> InputError:
    """The error of a file that is not what its loader reads."""
    where = f"{path}:{line}" if line else str(path)
    return InputError(f"this is not {kind}: {why}", where=where, hint="Mend the file, or name another loader.")


def why_not(error: Exception) -> str:
    """What a library's error means, where its own words are about Python and not about the value."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply, or contains itself"
    if isinstance(error, ValueError) and "integer string conversion" in str(error):
        digits = sys.get_int_max_str_digits()
        return f"it has an int of more than {digits} digits; store that as text, such as hex(number)"
    return str(error)


def import_library(module: str, extra: str, loader: str) -> Any:
    """A library that only some loaders need.

    Raises:
        PivotError: it is not installed; the hint names the extra that brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise PivotError(
            f"{loader} needs the package `{error.name}`, which is not installed",
            hint=f"Run: pip install 'git-pivot[{extra}]'",
        ) from error
