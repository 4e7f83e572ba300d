"""Reports which files of the project a Python program opens that a stage has started, directly or not.

Python imports this file at its start since `PYTHONPATH` names its folder. It belongs to any Python, of any environment
and version: one file, of the standard library, that does nothing where something is missing. It takes its folder out
of `sys.path`, and then lets the user's own `sitecustomize` be imported as if this one were not there.

A report is a file of records `verb NUL path NUL place NUL`; the stage's process reads it. `runs` and `imports` name
code (`imports`: by a worker of a process pool, which imports what the stage has imported), `reads` and `writes` data.
"""

import os
import sys

REPORT = "GIT_PIVOT_CHILDREN"
"""The variable that names the report; the stage makes the file."""
ROOT = "GIT_PIVOT_INSIDE"
REPORT_LIMIT = 4 << 20
"""Bytes of one report, of all children together."""
_FILES = 10_000
_IMPORTERS = ("<frozen importlib._bootstrap_external>", "<frozen runpy>", "<frozen zipimport>")
_INSTALLED = ("/site-packages/", "/dist-packages/")
_POOLS = ("multiprocessing", "--multiprocessing-fork", "loky")


class Reporter:
    """An audit hook that writes one record for each file below `root`; never raises."""

    def __init__(self, report: str, root: str, worker: bool, importers: tuple = _IMPORTERS) -> None:  # type: ignore[type-arg]
        self._report = report
        self._inside = tuple({root + "/", os.path.realpath(root) + "/"})
        self._git = tuple(one + ".git/" for one in self._inside)
        self._code = "imports" if worker else "runs"
        self._importers = importers
        self._folder = os.getcwd()  # noqa: PTH109
        self._seen = set()  # type: ignore[var-annotated]

    def hear(self, event: str, arguments: tuple, depth: int = 1) -> None:  # type: ignore[type-arg]
        """Take an audit event; `depth` frames up is the caller of what raised it."""
        try:
            if event == "open":
                flags = arguments[2]
                self._note(arguments[0], flags if isinstance(flags, int) else 0, depth + 1)
            elif event == "cpython.run_file":
                self._tell(self._code, self._absolute(arguments[0]), "")
            elif event in ("sqlite3.connect", "ctypes.dlopen"):
                self._note(arguments[0], 0, depth + 1)
        except Exception:  # the program's own call must not fail
            return

    def _note(self, path: object, flags: int, depth: int) -> None:
        name = self._absolute(path)
        frame = sys._getframe(depth)
        importing = frame.f_code.co_filename in self._importers
        if importing and name.endswith(".pyc"):
            name = _source_of(name)
        if not self._is_ours(name):
            return
        if importing and name.endswith(".py"):
            self._tell(self._code, name, "")
        elif "/__pycache__/" not in name:
            writing = flags & os.O_ACCMODE == os.O_WRONLY or flags & os.O_TRUNC
            self._tell("writes" if writing else "reads", name, self._place(frame))

    def _absolute(self, path: object) -> str:
        return os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]  # noqa: PTH100

    def _is_ours(self, name: str) -> bool:
        if not name.startswith(self._inside) or name.startswith(self._git):
            return False
        return not any(one in name for one in _INSTALLED) and name != self._report

    def _place(self, frame: object) -> str:
        """The line of the project on whose behalf a file is opened."""
        while frame is not None:
            name = frame.f_code.co_filename  # type: ignore[attr-defined]
            if name[:1] != "<":
                name = os.path.normpath(os.path.join(self._folder, name))  # noqa: PTH118
                if self._is_ours(name):
                    return name + ":" + str(frame.f_lineno)  # type: ignore[attr-defined]
            frame = frame.f_back  # type: ignore[attr-defined]
        return ""

    def _tell(self, verb: str, name: str, place: str) -> None:
        if (verb, name) in self._seen or len(self._seen) >= _FILES or not self._is_ours(name):
            return
        self._seen.add((verb, name))
        # By name, each time: programs close descriptors that they do not know. A stage that has ended took the file.
        report = os.open(self._report, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(report).st_size < REPORT_LIMIT:
                os.write(report, os.fsencode(verb + "\0" + name + "\0" + place + "\0"))
        finally:
            os.close(report)


def _source_of(name: str) -> str:
    """The source that a file of bytecode was made from, as Python names these."""
    prefix = getattr(sys, "pycache_prefix", None)
    if prefix and name.startswith(prefix):
        name = name[len(prefix) :]
    folder, _, file = name.rpartition("/")
    if folder.endswith("/__pycache__"):
        folder = folder[: -len("/__pycache__")]
    return folder + "/" + file.split(".")[0] + ".py"


def _start() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [one for one in sys.path if one != here]
    report, root = os.environ.get(REPORT), os.environ.get(ROOT)
    if not report or not root or not hasattr(sys, "addaudithook"):
        return
    words = getattr(sys, "orig_argv", ())
    try:
        reporter = Reporter(report, root, any(pool in word for word in words[1:] for pool in _POOLS))
    except OSError:  # the working folder is gone
        return
    sys.addaudithook(reporter.hear)


if __name__ == "sitecustomize":
    _start()
    del sys.modules["sitecustomize"]
    __import__("sitecustomize")  # the user's own; without one Python continues as if there were none
