"""What was said when there was nothing to do, and all that it stood on: while that stands, the same is said again.

Where: `<pivot dir>/cache/settled`, deletable at any time. Format: `marshal` of `[magic, git folder, made, runtime,
environment, rows, texts]` behind its CRC-32; `rows` maps absolute paths to `(mtime ns, ctime ns, size, inode)`, to `()`
where only being there counts, or to None where nothing was.

A decision is a function of what it reads: code, data, outputs, refs, settings. Where none of that has another stat than
when the full decision was made, making it again gives the same; so `repro` and `status` with nothing to do import
neither the planner nor the command line. A file whose time is too close to the moment of the look is not trusted, as
Git does not trust it in its index; then, and at any doubt, the full decision is made.

This module is imported before everything else and imports next to nothing itself.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import zlib

from pivot.code.environment import value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Row = tuple[int, ...] | None

ELAPSED = "\0seconds\0"  # stands in a text for the time that the command took

PLACE = "pivot/cache/settled"

_MAGIC = "pivot settled 3"
_TICK = 50_000_000  # ns, coarser than the clock of any local file system
_COARSE = 2_500_000_000  # ns, for file systems that keep time in whole or double seconds
_PREFIXES = ("GIT_", "PIVOT_")
_NAMES = ("HOME", "XDG_CONFIG_HOME", "USER", "LANG", "LC_ALL")


def answer(command: str, start: str) -> tuple[str, str] | None:
    """What `command` said last on standard output and error, if it would say the same now; None: find out.

    Kept are texts for `command` anywhere and for `command folder`, the nearest folder above `start` being the one.
    """
    git_dir = _find(start)
    held = _read(f"{git_dir}/{PLACE}") if git_dir else None
    if git_dir is None or held is None:
        return None
    home, made, runtime, environment, rows, texts = held
    if home != git_dir:
        return None  # a copy of the repository: all these paths are the original's
    said = _nearest(texts, command, start[len(git_dir) - len("/.git") + 1 :])
    if said is None or runtime != _runtime() or _watched_names() - environment.keys():
        return None
    if any(value_of(name) != value for name, value in environment.items()):
        return None
    return said if all(_stands(path, row, made) for path, row in rows.items()) else None


def _nearest(texts: dict[str, tuple[str, str]], command: str, folder: str) -> tuple[str, str] | None:
    while folder:
        if (said := texts.get(f"{command} {folder}")) is not None:
            return said
        folder = folder.rpartition("/")[0]
    return texts.get(command)


def encode(
    git_dir: str, made: int, paths: dict[str, bool], names: set[str], texts: dict[str, tuple[str, str]]
) -> bytes:
    """The file that remembers what was said in a repository.

    `made` is the time (ns) before the first look at anything, `names` are variables that were read, `paths` says of
    each path whether its content counts, or only its being there.
    """
    rows = {each: row_of(each) if whole or not os.path.exists(each) else () for each, whole in paths.items()}
    environment = {name: value_of(name) for name in names | _watched_names()}
    data = marshal.dumps([_MAGIC, git_dir, made, _runtime(), environment, rows, texts])
    return zlib.crc32(data).to_bytes(4, "big") + data


def row_of(path: str) -> Row:
    """What is compared of a path; a symlink counts as what it points to."""
    told = _status(path)
    return told and (told.st_mtime_ns, told.st_ctime_ns, told.st_size, told.st_ino)


def _stands(path: str, row: Row, made: int) -> bool:
    now = row_of(path)
    if row is None or row == ():
        return (now is None) == (row is None)
    if now != row:
        return False
    tick = _COARSE if row[0] % 1_000_000_000 == 0 else _TICK
    return max(row[0], row[1]) < made - tick


def _find(start: str) -> str | None:
    """The Git folder of the work tree that `start` lies in, for the plain case only."""
    if "GIT_DIR" in os.environ or "GIT_WORK_TREE" in os.environ:
        return None
    folder = start
    while (status := _status(f"{folder}/.git")) is None:
        if os.path.dirname(folder) == folder:
            return None  # no repository
        folder = os.path.dirname(folder)
    # A linked work tree, or a repository of another user, where nothing may be read yet: the full look decides.
    is_plain = stat.S_ISDIR(status.st_mode) and os.geteuid() == status.st_uid == os.stat(folder).st_uid
    return f"{folder}/.git" if is_plain else None


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _read(path: str) -> list[Any] | None:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None  # `marshal` must only see what this user wrote
            data = file.read()
        if zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
            return None
        held = marshal.loads(data[4:])
    except (OSError, ValueError, EOFError, TypeError, MemoryError):
        return None
    return held[1:] if isinstance(held, list) and held[:1] == [_MAGIC] and len(held) == 7 else None


def _runtime() -> str:
    """This Python and this Pivot: another one of either decides anew."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return f"{sys.version} {sys.prefix} {package} {_newest(package)}"


def _newest(folder: str) -> int:
    """When a module in this folder, at any depth, was changed last, in ns."""
    newest = 0
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            newest = max(newest, entry.stat().st_mtime_ns)
        elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
            newest = max(newest, _newest(entry.path))
    return newest


def _watched_names() -> set[str]:
    return {name for name in os.environ if name.startswith(_PREFIXES) or name in _NAMES}
