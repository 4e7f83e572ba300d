"""What an import reads beside modules: files, folders, environment variables, and what no file can tell.

Only what project code asks for counts: what a library reads for itself belongs to its installed version. An audit
hook cannot be taken out again, so it goes quiet instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pivot.code.environment import is_evidence
from pivot.code.importing.project_files import ProjectFiles

_FOLDERS = {"os.listdir", "os.scandir"}
_SETTING = {"os.putenv", "os.unsetenv"}
_VOLATILE = {
    "subprocess.Popen": "it runs a program while it is imported",
    "os.system": "it runs a program while it is imported",
    "os.posix_spawn": "it runs a program while it is imported",
    "socket.connect": "it uses the network while it is imported",
}
_HEARD = frozenset({*_FOLDERS, *_SETTING, *_VOLATILE, "open", "ctypes.dlopen"})
_MODULES = (".py", ".pyc", ".so", ".pyd")
_DEPTH = 40


class ImportTracer:
    """Collects while `watching()` is entered."""

    def __init__(self, files: ProjectFiles) -> None:
        self.opened: set[str] = set()
        self.asked: set[str] = set()
        self.listed: set[str] = set()
        self.environment: dict[str, str | None] = {}
        self.reads_all_variables = False
        self.variables_set: set[str] = set()
        self.volatile: dict[tuple[str, int], str] = {}
        self._files = files
        self._active = False
        self._copied: set[Any] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hear what this process reads until the block ends."""

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            # Every `id()` and every `f.__code__` is an event: a plain function costs a fifth of a method (measured).
            if event in _HEARD:
                self._hear(event, arguments)

        sys.addaudithook(hear)
        restore = [
            _replace(os._Environ, "__getitem__", self._reading),
            _replace(os._Environ, "__iter__", self._reading_all),
            _replace(os, "stat", self._asking),
        ]
        self._active = True
        try:
            yield
        finally:
            self._active = False
            for undo in restore:
                undo()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        if event in _SETTING:
            self.variables_set.add(os.fsdecode(arguments[0]))
        elif event == "open":
            self._note_open(arguments[0], arguments[2])
        elif event == "ctypes.dlopen" and arguments[0] is not None:
            self._note(self.opened, arguments[0])
        elif event in _FOLDERS and not _is_import_system(sys._getframe(1)):
            self._note(self.listed, arguments[0] if arguments[0] is not None else ".")
        elif event in _VOLATILE:
            frame = self._asker()
            if frame is not None:
                self.volatile[(frame.f_code.co_filename, frame.f_lineno)] = _VOLATILE[event]

    def _note_open(self, path: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None or (isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY):
            return
        if not str(path).endswith(_MODULES):
            self._note(self.opened, path)

    def _note(self, into: set[str], path: Any) -> None:
        if isinstance(path, int):
            return
        self._active = False  # looking at the path must not be heard
        try:
            full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if full not in into and (self._files.owns(full) or self._asker() is not None):
                into.add(full)
        except (TypeError, ValueError):
            pass  # no path: the user's own call will say so
        finally:
            self._active = True

    def _asker(self) -> FrameType | None:
        """The project frame on whose behalf something is read; None when a library reads for its own import."""
        frame: FrameType | None = sys._getframe(2)
        for _ in range(_DEPTH):
            if frame is None:
                return None
            name = frame.f_code.co_filename
            if name.startswith("<frozen importlib"):
                return None
            if self._files.owns(name):
                return frame
            frame = frame.f_back
        return None

    def _reading(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def read(environ: Any, key: Any) -> Any:
            if key in self._copied:  # the rest of a read of all
                self._copied.discard(key)
            elif self._active and isinstance(key, str) and self._is_news(key) and self._asker() is not None:
                held = os.environ._data.get(os.environ.encodekey(key), None)  # type: ignore[attr-defined]
                self.environment[key] = os.fsdecode(held) if held is not None else None
            return original(environ, key)

        return read

    def _reading_all(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """`dict(os.environ)`, `.items()` and `.copy()` ask for the names, and then for each."""

        def names(environ: Any) -> Iterator[Any]:
            if self._active and self._asker() is not None:
                self.reads_all_variables = True
                self._copied.update(os.fsdecode(name) for name in environ._data)
            return iter(original(environ))

        return names

    def _is_news(self, name: str) -> bool:
        return is_evidence(name) and name not in self.environment and name not in self.variables_set

    def _asking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stat(path: Any, *args: Any, **options: Any) -> Any:
            if self._active:
                self._note(self.asked, path)
            return original(path, *args, **options)

        return stat


def _is_import_system(frame: FrameType | None) -> bool:
    """The import system lists every folder that it searches; which names of it matter is known from the imports."""
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")


def _replace(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[[], None]:
    original = getattr(owner, name)
    setattr(owner, name, wrap(original))
    return lambda: setattr(owner, name, original)
