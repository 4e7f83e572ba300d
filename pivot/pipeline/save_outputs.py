"""The value that a stage returned becomes its outputs: all is checked before the first file is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_origin

from msgspec import Struct

from pivot.errors import WHEN_REFUSED, CheckFailed
from pivot.pipeline.bound_artifacts import BoundOutput
from pivot.pipeline.keys import why_bad_keys
from pivot.pipeline.loaders import PathOnly, describe
from pivot.pipeline.loaders.protocol import why_not
from pivot.pipeline.params import closest

_LEFT_OUT = object()
_CHECKED = (dict, list, tuple, set, frozenset, str, bytes)


class Piece(Struct, frozen=True):
    """What a stage returned for one path."""

    stage: str
    output: BoundOutput
    path: str
    loader: Any
    value: Any

    @property
    def left_out(self) -> bool:
        return self.value is _LEFT_OUT

    def error(self, what: str, hint: str) -> CheckFailed:
        return _error(self.stage, what, self.output, hint)


def save_all(value: Any, outputs: tuple[BoundOutput, ...], single: bool, folder: Path, stage: str) -> None:
    """Write every output, or check that the stage has written it.

    Raises:
        CheckFailed: the value is not what the return type says, or a file is missing (nothing was written then); or a
            file cannot be written.
    """
    values = _by_output(value, outputs, single, stage)
    pieces = [piece for output, held in zip(outputs, values, strict=True) for piece in _pieces(stage, output, held)]
    for piece in pieces:
        _check(piece, folder)
    for piece in pieces:
        _save(piece, folder)


def _error(stage: str, what: str, output: BoundOutput, hint: str) -> CheckFailed:
    return CheckFailed(f"stage `{stage}` {what}", where=output.line.text, hint=hint)


def _by_output(value: Any, outputs: tuple[BoundOutput, ...], single: bool, stage: str) -> list[Any]:
    """One value an output."""
    if not outputs:
        if value is not None:
            raise CheckFailed(
                f"stage `{stage}` returned {_show(value)}, and its return type is None",
                hint="Return nothing, or annotate the return type with an Out.",
            )
        return []
    if single:
        return [value]
    if not isinstance(value, dict):
        keys = ", ".join(output.key for output in outputs)
        raise _error(stage, f"returned {_show(value)}, not a dict", outputs[0], f"Return a dict with: {keys}.")
    _check_keys(value, outputs, stage)
    return [value.get(output.key, _LEFT_OUT) for output in outputs]


def _check_keys(value: dict[Any, Any], outputs: tuple[BoundOutput, ...], stage: str) -> None:
    known = {output.key: output for output in outputs}
    for key in value:
        if key not in known:
            what = f"returned the key {key!r}, which its return type has not"
            raise _error(stage, what, outputs[0], closest(str(key), known))
    for key, output in known.items():
        if key not in value and not output.optional:
            hint = f"Return it, or write {type(output.artifact).__name__}(..., optional=True)."
            raise _error(stage, f"did not return the key `{key}` ({', '.join(output.paths)})", output, hint)


def _pieces(stage: str, output: BoundOutput, value: Any) -> list[Piece]:
    """One value a path; None leaves an optional output out."""
    count = len(output.paths)
    if value is _LEFT_OUT or (value is None and output.optional):
        values = [_LEFT_OUT] * count
    elif output.shape == "one":
        values = [value]
    elif isinstance(value, list | tuple) and len(value) == count:
        values = list(value)
    else:
        what = f"returned {_show(value)} for `{output.key}`, which has {count} paths"
        raise _error(stage, what, output, f"Return a {output.shape} of {count} values.")
    return [Piece(stage, output, *piece) for piece in zip(output.paths, output.loaders, values, strict=True)]


def _check(piece: Piece, folder: Path) -> None:
    if piece.left_out:
        return
    if isinstance(piece.loader, PathOnly):
        _check_written(piece, folder)
    elif piece.output.kind == "directory":
        _check_folder(piece)
    elif piece.output.shape == "one":
        _check_type(piece)


def _check_written(piece: Piece, folder: Path) -> None:
    """With PathOnly the stage wrote the file; the value, where there is one, must name it."""
    path, value = piece.path, piece.value
    if isinstance(value, str | os.PathLike):
        given = os.fspath(value)
        if os.path.realpath(folder / str(given)) != os.path.realpath(folder / path):
            raise piece.error(
                f"returned the path {given}, and declares {path}", f"Write {path}, or declare the other path."
            )
    elif value is not None:
        raise piece.error(
            f"returned {_show(value)} for {path}, and its loader is PathOnly",
            "Return the path, or name a loader that writes the value.",
        )
    file = folder / path
    if not os.path.lexists(file) and not piece.output.optional:  # a symlink to what comes later is an output too
        raise piece.error(
            f"did not write {path}", f"Write the file in the stage, or return its value with a loader for {path}."
        )
    if file.exists() and path.endswith("/") and not file.is_dir():
        raise piece.error(f"wrote a file where it declares the directory {path}", "Declare it without the slash.")


def _check_type(piece: Piece) -> None:
    """Only what is surely wrong: a missing `return`, a container of another kind."""
    kind, value = piece.output.value_type, piece.value
    plain = get_origin(kind) or kind
    nothing = value is None and isinstance(plain, type) and not issubclass(type(None), plain)
    if nothing or (plain in _CHECKED and not isinstance(value, plain)):
        name = getattr(plain, "__name__", str(plain))
        raise piece.error(
            f"returned {_show(value)} for {piece.path}, and its return type says {name}",
            f"Return a value of type {name}.",
        )


def _check_folder(piece: Piece) -> None:
    if not isinstance(piece.value, dict):
        raise piece.error(
            f"returned {_show(piece.value)} for the directory {piece.path}", "Return a dict: one file a key."
        )
    why = why_bad_keys(piece.value)
    if why:
        raise piece.error(f"returned a bad key for {piece.path}: {why}", "A key is a file's path below the directory.")


def _save(piece: Piece, folder: Path) -> None:
    if isinstance(piece.loader, PathOnly):
        return
    target = folder / piece.path
    try:
        if piece.left_out:
            _remove(os.fspath(target))
            return
        with _replacing(target) as temp:
            if piece.output.kind == "directory":
                _write_folder(piece, temp)
            else:
                _write(piece, piece.value, temp)
    except OSError as error:
        raise piece.error(
            f"cannot write {piece.path}: {error.strerror or error}",
            WHEN_REFUSED.get(error.errno or 0, "Check the disk's space and the folder's permissions."),
        ) from error


def _write_folder(piece: Piece, folder: Path) -> None:
    """A whole new directory takes the old one's place, so files of keys that vanished go with it."""
    folder.mkdir()
    for key, item in piece.value.items():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(piece, item, file)


def _write(piece: Piece, value: Any, file: Path) -> None:
    try:
        piece.loader.save(value, file)
    except OSError:
        raise
    except Exception as error:
        raise piece.error(
            f"returned {_show(value)}, which {describe(piece.loader)} cannot write to {piece.path}: {why_not(error)}",
            getattr(error, "hint", None) or "Return what the loader writes, or name another loader.",
        ) from error
    if not os.path.exists(file):
        raise piece.error(
            f"has the loader {describe(piece.loader)}, whose save() wrote nothing to {piece.path}",
            "save(value, path) must write to the path that it is given.",
        )


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` with its extension, which takes its place when the block ends well."""
    place = os.fspath(target)
    folder, slash, name = place.rpartition("/")
    if folder and not os.path.isdir(folder):
        os.makedirs(folder, exist_ok=True)
    # The name marks it as temporary for whoever finds it after a crash; loaders go by the extension.
    temp = f"{folder}{slash}.pivot-tmp-{os.getpid()}-{name}"
    _remove(temp)
    try:
        yield Path(temp)
        if os.path.isdir(temp) or os.path.isdir(place):
            _remove(place)
        os.replace(temp, place)
    except BaseException:
        _remove(temp)
        raise


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _show(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
