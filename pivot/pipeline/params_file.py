"""The params file of a pipeline: `params.yaml` or `params.toml` beside the pipeline file.

Keys at the top are stages, keys below them parameters, and below these the fields of nested parameters. Each value
keeps its line, so that an error can name it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from msgspec import Struct, field

from pivot.errors import PipelineError
from pivot.pipeline.source_location import SourceLine, known_line, shown
from pivot.pipeline.spec import Location

NAMES = ("params.yaml", "params.toml")
_FLOAT = re.compile(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+")
_DIGITS = list("-+.0123456789")
_SECTION = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*([^=#]+?)\s*=")


class Value(Struct, frozen=True):
    """A value that is given from outside the code; `text` is how it was typed, where it may be meant as text."""

    value: Any
    line: SourceLine
    text: str | None = None


class Branch(Struct, frozen=True):
    """Values by name, as deep as they were nested."""

    line: SourceLine
    values: Mapping[str, Value | Branch] = field(default_factory=dict)


class ParamsFile(Struct, frozen=True):
    """What stands in the params file; `read` has the bytes of each file looked for, None where there is none.

    `stages` are its keys at the top; `section` tells what stands below one.
    """

    stages: Mapping[str, Value | Branch]
    read: Mapping[str, bytes | None]


def read_params_file(folder: Path) -> ParamsFile:
    """The params file beside a pipeline file; empty where there is none.

    Raises:
        PipelineError: there are two, it cannot be read, or it is no table.
    """
    read = {str(folder / name): _bytes_of(folder / name) for name in NAMES}
    found = [path for path, data in read.items() if data is not None]
    if len(found) > 1:
        raise PipelineError(
            "there is a params.yaml and a params.toml", where=_where(found[0], 1), hint="Keep one of the two."
        )
    stages: Mapping[str, Value | Branch] = {}
    for path in found:
        stages = _PARSERS[Path(path).suffix](path, read[path] or b"").values
    return ParamsFile(stages, read)


def plain(held: Value | Branch) -> Any:
    """Without lines."""
    return held.value if isinstance(held, Value) else {name: plain(below) for name, below in held.values.items()}


def merged(under: Branch, over: Branch) -> Branch:
    """Both; where both have a value, that of `over`."""
    values = dict(under.values)
    for name, held in over.values.items():
        below = values.get(name)
        values[name] = merged(below, held) if isinstance(below, Branch) and isinstance(held, Branch) else held
    return Branch(over.line, values)


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PipelineError(f"the params file cannot be read: {error}", where=str(path)) from error


def section(name: str, held: Value | Branch) -> Branch:
    """The parameters below a stage's name.

    Raises:
        PipelineError: it is no table.
    """
    if isinstance(held, Branch):
        return held
    if held.value is None:
        return Branch(held.line)
    raise PipelineError(
        f"`{name}` is {held.value!r}, not a table of parameters",
        where=held.line.text,
        hint="Keys at the top are stages, keys below them are parameters.",
    )


def _line(path: str, number: int) -> SourceLine:
    return known_line(Location(path, number))


def _where(path: str, number: int) -> str:
    return shown(Location(path, number))


def _refuse(path: str, number: int, why: object) -> NoReturn:
    raise PipelineError(f"this params file cannot be read: {why}", where=_where(path, number), hint="Mend the file.")


def _parse_yaml(path: str, data: bytes) -> Branch:
    import yaml  # every pipeline imports this module, few have such a file

    try:
        return _YamlReader(yaml, path).read(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        _refuse(path, mark.line + 1 if mark else 1, getattr(error, "problem", None) or error)
    except RecursionError:
        _refuse(path, 1, "it contains itself")


class _YamlReader:
    """Walks the nodes that PyYAML makes, since its values have no lines."""

    def __init__(self, yaml: Any, path: str) -> None:
        self._yaml = yaml
        self._path = path

    def read(self, data: bytes) -> Branch:
        loader = self._loader_class()(data)
        try:
            node = loader.get_single_node()
            if node is None:
                return Branch(_line(self._path, 1))
            if not isinstance(node, self._yaml.MappingNode):
                _refuse(self._path, node.start_mark.line + 1, "it is no table")
            return self._branch(loader, node)
        finally:
            loader.dispose()

    def _loader_class(self) -> Any:
        class Loader(self._yaml.SafeLoader):  # type: ignore[misc, name-defined]
            """`1e-3` is a number, as in YAML 1.2 and in Python; PyYAML takes it for text."""

        Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, _DIGITS)
        return Loader

    def _branch(self, loader: Any, node: Any) -> Branch:
        merges = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        loader.flatten_mapping(node)
        values: dict[str, Value | Branch] = {}
        for key_node, value_node in node.value:
            name, number = str(loader.construct_object(key_node, deep=True)), key_node.start_mark.line + 1
            if name in values and not merges:
                _refuse(self._path, number, f"the key `{name}` stands twice")
            values[name] = self._held(loader, value_node, number)
        return Branch(_line(self._path, node.start_mark.line + 1), values)

    def _held(self, loader: Any, node: Any, number: int) -> Value | Branch:
        if isinstance(node, self._yaml.MappingNode):
            return self._branch(loader, node)
        return Value(loader.construct_object(node, deep=True), _line(self._path, number))


def _parse_toml(path: str, data: bytes) -> Branch:
    import tomllib

    try:
        text = data.decode("utf-8")
        found = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        at = re.search(r"at line (\d+)", str(error))
        _refuse(path, int(at[1]) if at else 1, error)
    return _toml_branch(found, (), _toml_lines(text), path)


def _toml_branch(table: Mapping[str, Any], above: tuple[str, ...], lines: Mapping[Any, int], path: str) -> Branch:
    values: dict[str, Value | Branch] = {}
    for name, value in table.items():
        key = (*above, name)
        is_table = isinstance(value, dict)
        number = lines.get(key, lines.get(above, 1))
        values[name] = _toml_branch(value, key, lines, path) if is_table else Value(value, _line(path, number))
    return Branch(_line(path, lines.get(above, 1)), values)


def _toml_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key, told by the shape of lines: `tomllib` does not say."""
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if head := _SECTION.fullmatch(line):
            section = _dotted(head[1])
            lines.setdefault(section, number)
        elif found := _KEY.match(line):
            lines.setdefault((*section, *_dotted(found[1])), number)
    return lines


def _dotted(text: str) -> tuple[str, ...]:
    """The parts of a TOML key; a quoted part may have dots."""
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s\"']+", text))


_PARSERS: Mapping[str, Callable[[str, bytes], Branch]] = {".yaml": _parse_yaml, ".toml": _parse_toml}
