"""What a stage reads while it runs: files of the project that Python opens, modules, and environment variables.

Seen are opens through Python (`open`, `os.open`, `sqlite3`, and whatever stands on them), also in Python programs that
the stage starts. Libraries that open files in C, and programs that are no Python, are not seen.
"""

from __future__ import annotations

import functools
import importlib
import os
import runpy
import sys
from collections.abc import Iterable
from os import O_ACCMODE, O_TRUNC, O_WRONLY, fsdecode, fspath, getpid
from os.path import abspath  # bound now: the stage may replace it
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from pivot.code.environment import is_evidence
from pivot.code.importing import source_importer
from pivot.code.importing.project_files import OUTSIDE, ProjectFiles
from pivot.files import TEMP_PREFIX
from pivot.worker.child_reports import ask_children, read_report
from pivot.worker.child_site.sitecustomize import Reporter

_LIMIT = 10_000
_TEMPORARY = f"/{TEMP_PREFIX}"
_SCRIPT_RUNNERS = (
    "<frozen runpy>",
    runpy.__file__,
    "<frozen zipimport>",  # `runpy` asks first whether it is an archive
    source_importer.__file__,  # a module that is loaded from its path need not stand in `sys.modules`
)
# Parts of the paths of modules that read the data of a package: `importlib.resources`, and jinja2's `PackageLoader`.
_DATA_READERS = ("/importlib/resources/", "/importlib_resources/", "/jinja2/loaders.py", "/pkgutil.py")
_ENVIRONMENT_FILES = (os.__file__, "<frozen os>", "<frozen _collections_abc>")


class AccessTracer:
    """Watches from `start()` to `stop()`.

    Made before the user's code is imported, so that a name bound by `from importlib import import_module` is the
    watched one; started in the stage's own process, since an audit hook cannot be taken out again.
    """

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._read: dict[str, str] = {}
        self._scripts: set[str] = set()
        self._written: dict[str, str] = {}
        self._environment: dict[str, str | None] = {}
        self._outside = dict(os.environ)
        self._set_by_code: set[str] = set()
        self._asked_for: set[str] = set()
        self._before: frozenset[str] = frozenset()
        self._environ: type = type(os.environ)
        self._declared: frozenset[str] = frozenset()
        self._active = False
        self._runs_text = False
        self._pid = 0
        self._report = ""
        self._reporter: Reporter | None = None
        self._known_variables: dict[str, str | None] = {}
        self._watch_import_module()

    def prepare(self) -> None:
        """What the process that forks can do once for all: each page that a fork writes to costs it microseconds."""
        self._before = frozenset(sys.modules)
        names = self._outside.keys() | os.environ.keys()
        self._set_by_code = {name for name in names if self._outside.get(name) != os.environ.get(name)}
        self._environ = self._watching_environment()

    def start(self, declared: Iterable[str], report: str = "") -> None:
        """Watch; files that are `declared` or in a declared folder (repository-relative) are not noted.

        `report` is a file for what Python programs that this process starts report.
        """
        self._declared = frozenset(declared)
        self._pid = getpid()
        if report:
            self._ask_children(report)
        self._active = True
        sys.addaudithook(self._hear)
        os.environ.__class__ = self._environ

    def stop(self) -> None:
        self._active = False
        if self._report:
            self._take_report()
        if self._runs_text:  # `exec(open("job.py").read())`
            read = {path for path in self._read if path.endswith(".py")}
            self._scripts |= read
            self._read = {path: place for path, place in self._read.items() if path not in read}

    def modules(self) -> list[str]:
        """Repository-relative files of project modules that were imported, asked for by name, or run by `runpy`."""
        new = set() if len(sys.modules) == len(self._before) else sys.modules.keys() - self._before
        return sorted(self._project_files(new | self._asked_for) | self._scripts)

    def undeclared(self) -> list[str]:
        """`reads a.csv (stages.py:12)`, `writes b.txt (stages.py:15)`: files neither declared nor in a declared folder.

        Paths are repository-relative; files that are gone by now and project modules, which are read because of the
        code, are left out. Sorted; at most 10,000.
        """
        if not self._read and not self._written:
            return []
        known = self._project_files(sys.modules.keys())  # touches every module: thousands of pages in a fork
        done = [("reads", self._read), ("writes", self._written)]
        strays = ((verb, path, place) for verb, places in done for path, place in sorted(places.items()))
        return [
            f"{verb} {path}{f' ({place})' if place else ''}"
            for verb, path, place in strays
            if path not in known and path not in self._scripts and Path(self._files.root, path).is_file()
        ]

    def variables_read(self) -> dict[str, str | None]:
        """Environment variables that project code asked for, with the value that they had (None: not set).

        Those that the import or the stage itself has set are code, and nothing from outside.
        """
        return dict(sorted(self._environment.items()))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        # An exception here would make the user's own call fail.
        if not self._active:
            return
        if getpid() != self._pid:  # a fork, whose memory nobody looks at
            self._report_from_fork(event, arguments)
        elif event in ("os.putenv", "os.unsetenv"):
            self._set_by_code.add(fsdecode(arguments[0]))
        elif event == "open":
            path, _, flags = arguments
            self._note_file(path, flags if isinstance(flags, int) else 0)
        elif event in ("sqlite3.connect", "ctypes.dlopen") and arguments[0] is not None:
            self._note_file(arguments[0], 0)
        elif event in ("compile", "exec") and not self._runs_text:
            self._runs_text = self._files.owns(sys._getframe(1).f_code.co_filename)

    def _note_file(self, path: Any, flags: int) -> None:
        try:
            name = fsdecode(abspath(fspath(path)))  # noqa: PTH100
        except Exception:  # a number, a folder that is gone, or an object whose `__fspath__` raises
            return
        path = self._files.relative(name)
        if not self._counts(name, path):
            return
        if flags & O_ACCMODE == O_WRONLY or flags & O_TRUNC:
            self._written[path] = self._place()
        elif sys._getframe(2).f_code.co_filename in _SCRIPT_RUNNERS and path.endswith(".py"):
            self._scripts.add(path)
        elif path not in self._read:
            self._read[path] = self._place()

    def _counts(self, name: str, path: str) -> bool:
        """Whether a file, by its absolute and its relative path, is one to be noted."""
        if path.startswith((".git/", "/", OUTSIDE)) or len(self._read) >= _LIMIT or _is_within(path, self._declared):
            return False
        return not ("__pycache__/" in path or _TEMPORARY in name or path in self._written or not self._files.owns(name))

    def _ask_children(self, report: str) -> None:
        try:
            self._known_variables = ask_children(report, str(self._files.root))
        except OSError:  # the disk is full, or `.git` cannot be written: then children do not report
            return
        self._report = report

    def _report_from_fork(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._report:
            self._reporter = self._reporter or Reporter(self._report, str(self._files.root), True, _SCRIPT_RUNNERS)
            self._reporter.hear(event, arguments, depth=3)

    def _take_report(self) -> None:
        """Add what children report to what this process has noted; a pool's workers import what is imported here."""
        imported: set[str] | None = None
        for verb, name, place in read_report(self._report):
            path = self._files.relative(name)
            if not self._counts(name, path):
                continue
            if verb in ("runs", "imports"):
                imported = self._project_files(self._before) if imported is None else imported
                if (verb == "runs" or path not in imported) and Path(name).is_file():
                    self._scripts.add(path)
            else:
                noted = self._written if verb == "writes" else self._read
                noted.setdefault(path, self._files.relative(place))

    def _place(self) -> str:
        """The line of the project on whose behalf a file is opened; empty where a library does it on its own."""
        frame: FrameType | None = sys._getframe(3)
        while frame is not None:
            if self._files.owns(frame.f_code.co_filename):
                return f"{self._files.relative(frame.f_code.co_filename)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def _watch_import_module(self) -> None:
        """A module that another stage had loaded already makes no import, yet this stage depends on it now."""
        original = importlib.import_module

        @functools.wraps(original)
        def import_module(name: str, package: str | None = None) -> ModuleType:
            module = original(name, package)
            # Whoever looks for the data of a package names it for its folder, and not for its code.
            asker = sys._getframe(1).f_code.co_filename.replace(os.sep, "/") if self._active else ""
            if asker and not any(one in asker for one in _DATA_READERS):
                self._asked_for.add(module.__name__)
            return module

        importlib.import_module = import_module

    def _watching_environment(self) -> type:
        """A class for `os.environ` that notes what is read, but not a copy of the whole, as for another program."""
        kind, note, copied = type(os.environ), self._note_variable, set[Any]()

        class Watched(kind):  # type: ignore[misc, valid-type]
            def __getitem__(self, key: Any) -> Any:
                if key in copied:
                    copied.discard(key)
                else:
                    note(key, self._data.get(self.encodekey(key)))
                return super().__getitem__(key)

            def __iter__(self) -> Any:
                copied.update(super().__iter__())  # `dict(os.environ)` asks for the names, and then for each
                return super().__iter__()

        return Watched

    def _note_variable(self, name: str, value: bytes | None) -> None:
        if name in self._known_variables and name not in self._set_by_code:
            found = self._known_variables[name]
            value = None if found is None else os.fsencode(found)
        known = name in self._set_by_code or len(self._environment) >= _LIMIT or not is_evidence(name)
        if self._active and not known and self._asked_by_project():
            self._environment.setdefault(name, None if value is None else fsdecode(value))

    def _asked_by_project(self) -> bool:
        """Whether the line that reads the variable is the project's; what libraries read is their own affair."""
        frame = sys._getframe(3)
        while frame.f_back is not None and frame.f_code.co_filename in _ENVIRONMENT_FILES:
            frame = frame.f_back
        return self._files.owns(frame.f_code.co_filename)

    def _project_files(self, modules: Iterable[str]) -> set[str]:
        found = set()
        for name in list(modules):
            file = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(file, str) and self._files.owns(file):
                found.add(self._files.relative(file))
        return found


def _is_within(path: str, known: frozenset[str]) -> bool:
    """Whether a path or one of the folders that it stands in is known."""
    end = len(path)
    while end > 0:
        if path[:end] in known:
            return True
        end = path.rfind("/", 0, end)
    return False
