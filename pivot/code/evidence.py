"""All that an analysis stands on, as plain frozen data, and whether it still stands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache

import msgspec
import xxhash
from msgspec import Struct, field

from pivot.code.environment import WHOLE, value_of
from pivot.files import TEMP_PREFIX

SCHEME = 1
_INSTALLED = ("/site-packages", "/dist-packages")
_TICK = 50_000_000  # 50 ms: coarser than the clock of any local file system
_BLOCK = 1 << 20
_COARSE = 2_500_000_000  # FAT and some network file systems keep time in steps of one or two seconds


class FileSeen(Struct, frozen=True):
    """A file as it was read: `stat` is (mtime_ns, ctime_ns, size, inode) or None, `digest` is of its bytes.

    An empty digest says that only its being there was asked.
    """

    stat: tuple[int, int, int, int] | None
    digest: str


class FolderSeen(Struct, frozen=True):
    """A folder as it was listed: `names` are the stems that mattered, None for all; `digest` is of what was found.

    `without` are names that do not count, since the stages write them.
    """

    stat: tuple[int, int, int, int] | None
    names: tuple[str, ...] | None
    digest: str
    without: tuple[str, ...] = ()


class Evidence(Struct, frozen=True):
    """`made` is the time (ns) before the first read: what changed later may have been missed, and is read again."""

    runtime: str
    made: int
    files: dict[str, FileSeen] = field(default_factory=dict)
    folders: dict[str, FolderSeen] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)
    volatile: str = ""


@cache
def runtime() -> str:
    """The Python, and Pivot's own code, that make an analysis what it is; asked for every pipeline file."""
    ours = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (start-up: pathlib costs milliseconds)
    stamps = sorted(
        (file, os.stat(f"{folder}/{file}").st_mtime_ns)  # noqa: PTH116
        for folder, _, files in os.walk(ours)
        for file in files
        if file.endswith(".py")
    )
    return f"{SCHEME} {sys.version} {sys.prefix} {xxhash.xxh3_64_hexdigest(repr(stamps).encode())}"


def stat_of(path: str) -> tuple[int, int, int, int] | None:
    try:
        told = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return (told.st_mtime_ns, told.st_ctime_ns, told.st_size, told.st_ino)


def digest_of_file(path: str) -> str:
    """Digest of the bytes; empty when they cannot be read."""
    try:
        with io.FileIO(path) as stream:
            digest = xxhash.xxh3_128()
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


def digest_of_bytes(data: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(data)


def digest_of_folder(path: str, names: tuple[str, ...] | None, without: tuple[str, ...] = ()) -> str:
    """Digest of the names in a folder: of those whose stem is among `names`, or of all but those in `without`."""
    try:
        found: Iterable[str] = os.listdir(path)  # noqa: PTH208
    except OSError:
        return ""
    if names is not None:
        wanted = frozenset(names)
        found = [name for name in found if name.partition(".")[0] in wanted and _importable(name)]
    found = [name for name in found if name not in without and not name.startswith(TEMP_PREFIX)]
    return digest_of_bytes("\0".join(sorted(found)).encode("utf-8", "surrogateescape"))


def _importable(name: str) -> bool:
    return "." not in name or name.endswith((".py", ".so", ".pyd", ".pyc"))


def see_file(path: str, digest: str | None = None) -> FileSeen:
    """Look at a file; `digest` of the bytes that were read, if they were."""
    stat = stat_of(path)
    return FileSeen(stat, digest if digest is not None else digest_of_file(path))


def see_folder(path: str, names: Iterable[str] | None, without: Iterable[str] = ()) -> FolderSeen:
    wanted = None if names is None else tuple(sorted(set(names)))
    left_out = tuple(sorted(set(without)))
    return FolderSeen(stat_of(path), wanted, digest_of_folder(path, wanted, left_out), left_out)


def changed(evidence: Evidence) -> str:
    """What of the evidence does not stand any more, in a few words; empty when all of it stands."""
    if evidence.volatile:
        return evidence.volatile
    if evidence.runtime != runtime():
        return "another Python, or another version of Pivot"
    return (
        changed_file(evidence.files, evidence.made)
        or _changed_folder(evidence)
        or _changed_variable(evidence.environment)
    )


def without_packages(evidence: Evidence) -> Evidence:
    """The same without the lists of what is installed: a distribution more or less changes no module that is loaded."""
    folders = {path: seen for path, seen in evidence.folders.items() if not path.endswith(_INSTALLED)}
    return msgspec.structs.replace(evidence, folders=folders)


def changed_file(files: Mapping[str, FileSeen], made: int) -> str:
    """The first file that is not what it was, checked by its stat first."""
    for path, seen in files.items():
        now = stat_of(path)
        if now == seen.stat and (now is None or is_stable(now, made)):
            continue
        if not seen.digest:
            if (now is None) != (seen.stat is None):
                return path
        elif now is None or digest_of_file(path) != seen.digest:
            return path
    return ""


def is_stable(stat: tuple[int, int, int, int], made: int) -> bool:
    """Whether a change after the read would have another time, as Git judges its index."""
    latest = max(stat[0], stat[1])
    return latest < made - (_COARSE if stat[0] % 1_000_000_000 == 0 else _TICK)


def _changed_folder(evidence: Evidence) -> str:
    for path, seen in evidence.folders.items():
        now = stat_of(path)
        if now == seen.stat and (now is None or is_stable(now, evidence.made)):
            continue
        if digest_of_folder(path, seen.names, seen.without) != seen.digest:
            return path
    return ""


def _changed_variable(environment: Mapping[str, str | None]) -> str:
    name = next((name for name, value in environment.items() if value_of(name) != value), "")
    return name and ("an environment variable" if name == WHOLE else f"${name}")
