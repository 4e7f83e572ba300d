"""The value that a stage returned becomes its outputs: all is checked before the first file is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from pivot.errors import CheckFailed
from pivot.pipeline.declared import Output
from pivot.pipeline.keys import why_bad_keys
from pivot.pipeline.loaders import PathOnly, describe
from pivot.pipeline.params import closest

_MISSING = object()
_CHECKED = (dict, list, tuple, set, frozenset, str, bytes)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a stage returned for one of its outputs."""

    stage: str
    output: Output
    value: Any

    def error(self, what: str, hint: str) -> CheckFailed:
        return CheckFailed(f"stage `{self.stage}` {what}", where=self.output.line.text, hint=hint)


def save_all(value: Any, outputs: tuple[Output, ...], single: bool, folder: Path, stage: str) -> None:
    """Write every output, or check that the stage has written it.

    Raises:
        CheckFailed: the value is not what the return type says, or a file is missing; nothing was written then.
    """
    found = _by_output(value, outputs, single, stage)
    for returned in found:
        _check(returned, folder)
    for returned in found:
        _save(returned, folder)


def _by_output(value: Any, outputs: tuple[Output, ...], single: bool, stage: str) -> list[Returned]:
    if not outputs:
        if value is not None:
            raise CheckFailed(
                f"stage `{stage}` returned {_show(value)}, and its return type is None",
                hint="Return nothing, or annotate the return type with an Out.",
            )
        return []
    if single:
        return [Returned(stage, outputs[0], value)]
    if not isinstance(value, dict):
        where = outputs[0].line.text
        keys = ", ".join(output.key for output in outputs)
        raise CheckFailed(
            f"stage `{stage}` returned {_show(value)}, not a dict", where=where, hint=f"Return a dict with: {keys}."
        )
    _check_keys(value, outputs, stage)
    return [Returned(stage, output, value.get(output.key, _MISSING)) for output in outputs]


def _check_keys(value: dict[Any, Any], outputs: tuple[Output, ...], stage: str) -> None:
    known = {output.key: output for output in outputs}
    for key in value:
        if key not in known:
            raise CheckFailed(
                f"stage `{stage}` returned the key {key!r}, which its return type has not",
                where=outputs[0].line.text,
                hint=closest(str(key), known),
            )
    for key, output in known.items():
        if key not in value and not _is_optional(output):
            raise CheckFailed(
                f"stage `{stage}` did not return the key `{key}` ({', '.join(output.paths)})",
                where=output.line.text,
                hint=f"Return it, or write {type(output.artifact).__name__}(..., optional=True).",
            )


def _is_optional(output: Output) -> bool:
    return "optional" in output.flags


def _left_out(returned: Returned) -> bool:
    return returned.value is _MISSING or (returned.value is None and _is_optional(returned.output))


def _check(returned: Returned, folder: Path) -> None:
    if _left_out(returned):
        return
    output = returned.output
    values = _values(returned)
    for path, loader, value in zip(output.paths, output.loaders, values, strict=True):
        if isinstance(loader, PathOnly):
            _check_written(returned, path, value, folder)
        elif output.kind == "directory":
            _check_folder(returned, path, value)
        elif output.shape == "one":
            _check_type(returned, path, value)


def _values(returned: Returned) -> list[Any]:
    """One value a path."""
    output = returned.output
    if output.shape == "one":
        return [returned.value]
    count = len(output.paths)
    if not isinstance(returned.value, list | tuple) or len(returned.value) != count:
        raise returned.error(
            f"returned {_show(returned.value)} for `{output.key}`, which has {count} paths",
            f"Return a {output.shape} of {count} values.",
        )
    return list(returned.value)


def _check_written(returned: Returned, path: str, value: Any, folder: Path) -> None:
    """With PathOnly the stage wrote the file; the value, where there is one, must name it."""
    if isinstance(value, str | os.PathLike):
        given = os.fspath(value)
        if os.path.realpath(folder / str(given)) != os.path.realpath(folder / path):
            raise returned.error(
                f"returned the path {given}, and declares {path}", f"Write {path}, or declare the other path."
            )
    elif value is not None:
        raise returned.error(
            f"returned {_show(value)} for {path}, and its loader is PathOnly",
            "Return the path, or name a loader that writes the value.",
        )
    file = folder / path
    if not file.exists() and not _is_optional(returned.output):
        raise returned.error(
            f"did not write {path}", f"Write the file in the stage, or return its value with a loader for {path}."
        )
    if file.exists() and path.endswith("/") != file.is_dir() and path.endswith("/"):
        raise returned.error(f"wrote a file where it declares the directory {path}", "Declare it without the slash.")


def _check_type(returned: Returned, path: str, value: Any) -> None:
    """Only what is surely wrong: a missing `return`, a container of another kind."""
    kind = returned.output.value_type
    plain = get_origin(kind) or kind
    nothing = value is None and isinstance(plain, type) and not issubclass(type(None), plain)
    if nothing or (plain in _CHECKED and not isinstance(value, plain)):
        name = getattr(plain, "__name__", str(plain))
        raise returned.error(
            f"returned {_show(value)} for {path}, and its return type says {name}", f"Return a value of type {name}."
        )


def _check_folder(returned: Returned, path: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise returned.error(f"returned {_show(value)} for the directory {path}", "Return a dict: one file a key.")
    why = why_bad_keys(value)
    if why:
        raise returned.error(f"returned a bad key for {path}: {why}", "A key is a file's path below the directory.")


def _save(returned: Returned, folder: Path) -> None:
    output = returned.output
    if _left_out(returned):
        for path, loader in zip(output.paths, output.loaders, strict=True):
            if not isinstance(loader, PathOnly):
                _remove(folder / path)
        return
    for path, loader, value in zip(output.paths, output.loaders, _values(returned), strict=True):
        if isinstance(loader, PathOnly):
            continue
        if output.kind == "directory":
            _save_folder(returned, loader, value, folder / path)
        else:
            with _replacing(folder / path) as temp:
                _write(returned, loader, value, temp, path)


def _save_folder(returned: Returned, loader: Any, value: dict[str, Any], target: Path) -> None:
    """A whole new directory takes the old one's place, so files of keys that vanished go with it."""
    with _replacing(target) as temp:
        temp.mkdir()
        for key, item in value.items():
            file = temp / key
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(returned, loader, item, file, f"{returned.output.paths[0]}{key}")


def _write(returned: Returned, loader: Any, value: Any, file: Path, path: str) -> None:
    try:
        loader.save(value, file)
    except OSError:
        raise
    except Exception as error:
        raise returned.error(
            f"returned {_show(value)}, which {describe(loader)} cannot write to {path}: {error}",
            getattr(error, "hint", None) or "Return what the loader writes, or name another loader.",
        ) from error
    if not file.exists():
        raise returned.error(
            f"has the loader {describe(loader)}, whose save() wrote nothing to {path}",
            "save(value, path) must write to the path that it is given.",
        )


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` with its extension, which takes its place when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.with_name(f".pivot-tmp-{os.getpid()}-{target.name}")
    _remove(temp)
    try:
        yield temp
        if temp.is_dir() or target.is_dir():
            _remove(target)
        temp.replace(target)
    finally:
        _remove(temp)


def _remove(path: Path) -> None:
    remove: Callable[[Path], object] = shutil.rmtree if path.is_dir() and not path.is_symlink() else _unlink
    remove(path)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _show(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
