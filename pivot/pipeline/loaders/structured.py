"""Loaders of structured text: JSON, JSON lines, YAML, TOML (reading only)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivot.pipeline.loaders.protocol import malformed, why_not


@dataclass(frozen=True, slots=True)
class JSON:
    """One JSON value, with a newline at the end. Numpy scalars and arrays are written as numbers and lists.

    Args:
        indent: spaces a level; None writes one line.
        sort_keys: else keys keep their order.
        ensure_ascii: write other characters as `\\u` escapes.
    """

    indent: int | None = 2
    sort_keys: bool = False
    ensure_ascii: bool = False

    def load(self, path: Path) -> Any:
        return _parse_json(_decoded(path, "JSON"), path, 1)

    def save(self, value: Any, path: Path) -> None:
        text = json.dumps(
            value,
            indent=self.indent,
            sort_keys=self.sort_keys,
            ensure_ascii=self.ensure_ascii,
            default=_plain_number,
        )
        path.write_bytes(text.encode() + b"\n")

    def empty(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class JSONLines:
    """A list of JSON values, one a line; empty lines are skipped.

    Args:
        sort_keys: as for `JSON`.
        ensure_ascii: as for `JSON`.
    """

    sort_keys: bool = False
    ensure_ascii: bool = False

    def load(self, path: Path) -> list[Any]:
        lines = _decoded(path, "JSON lines").split("\n")
        return [_parse_json(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]

    def save(self, value: Iterable[Any], path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for item in value:
                line = json.dumps(item, sort_keys=self.sort_keys, ensure_ascii=self.ensure_ascii, default=_plain_number)
                file.write(line + "\n")

    def empty(self) -> list[Any]:
        return []


@dataclass(frozen=True, slots=True)
class YAML:
    """One YAML document of plain values: no tag of it makes a Python object.

    Args:
        sort_keys: else keys keep their order.
    """

    sort_keys: bool = False

    def load(self, path: Path) -> Any:
        import yaml

        text = _decoded(path, "YAML")
        try:
            return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            why = getattr(error, "problem", None) or error
            raise malformed(path, "YAML", why, mark.line + 1 if mark else None) from error
        except (ValueError, RecursionError) as error:
            raise malformed(path, "YAML that can be read", why_not(error)) from error

    def save(self, value: Any, path: Path) -> None:
        import yaml

        # Where a long line is folded depends on all that stands before it, and makes a diff hard to read.
        text: str = yaml.safe_dump(value, sort_keys=self.sort_keys, allow_unicode=True, width=float("inf"))
        path.write_bytes(text.encode())

    def empty(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class TOML:
    """A TOML document, for reading only: the standard library writes none."""

    def load(self, path: Path) -> dict[str, Any]:
        import re
        import tomllib

        text = _decoded(path, "TOML")
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            raise malformed(path, "TOML", error, int(found[1]) if found else None) from error
        except (ValueError, RecursionError) as error:
            raise malformed(path, "TOML that can be read", why_not(error)) from error


def _decoded(path: Path, kind: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed(path, f"{kind} in UTF-8", error) from error


def _parse_json(text: str, path: Path, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        why = f"{error.msg} (column {error.colno})"
        raise malformed(path, "JSON", why, first_line + error.lineno - 1) from error
    except (ValueError, RecursionError) as error:
        raise malformed(path, "JSON that can be read", why_not(error)) from error


def _plain_number(value: Any) -> Any:
    """Numpy's scalars and arrays, without importing numpy."""
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__qualname__} has no form in JSON")
