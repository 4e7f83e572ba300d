"""Where the pipelines of a repository are, wherever in it they stand.

What was found is kept in `<cache>/pipelines`, deletable at any time: `marshal` of `[magic, root, made, rules, folders,
readings, files]` as `pivot.code.cache_file` writes it. A look then costs a stat for each folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import astuple

from pivot.code.cache_file import read, write
from pivot.code.discovery.directory_cache import CachedFolder, Stat, look, may_be_searched
from pivot.code.discovery.pipeline_files import GLOB, PROJECT_FILE, Files, named_by, on_disk
from pivot.code.evidence import is_stable, stat_of
from pivot.errors import SettingError
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.pipeline.spec import PACKAGE_FILE, PIPELINE_FILE

_MAGIC = "pivot pipelines 1"

Reading = tuple[Stat | None, tuple[str, ...]]


class _Held(Struct, frozen=True):
    """What the last look left; `rules` are files that say what Git ignores, `readings` what files name as pipelines."""

    made: int = 0
    rules: dict[str, Stat | None] = field(default_factory=dict)
    folders: dict[str, CachedFolder] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    files: tuple[str, ...] = ()


class Discovery(Struct, frozen=True):
    """The pipelines of a work tree; what a look finds is kept in the folder `cache`.

    Raises:
        SettingError: at every question, while `[tool.pivot] pipelines` cannot be read, or names nothing.
    """

    location: RepositoryLocation
    cache: Path

    def pipelines(self) -> list[str]:
        """Repository-relative paths of the pipeline files, sorted."""
        return list(_look(self.location, self.cache).files)

    def folders(self) -> list[str]:
        """Absolute paths of the folders that may hold pipelines."""
        return [f"{self.location.root}/{path}".rstrip("/") for path in _look(self.location, self.cache).folders]

    def evidence(self) -> list[str]:
        """Absolute paths of all that the answer stands on: folders, files that may name pipelines, ignore rules."""
        held = _look(self.location, self.cache)
        return [*(f"{self.location.root}/{path}" for path in (*held.folders, *held.readings)), *held.rules]


def pipelines_among(listed: Iterable[str], read: Callable[[str], bytes]) -> list[str]:
    """As `Discovery.pipelines`, from the list of files of a commit; what does not name a file of it is passed over."""
    there = set(listed)
    files = Files(lambda file: read(file) if file in there else None, there.__contains__)
    closed = {path.rpartition("/")[0] for path in there if path.endswith("/pyvenv.cfg")}
    named: set[str] = set()
    for path in there:
        if path.rpartition("/")[2] in (PIPELINE_FILE, PACKAGE_FILE, PROJECT_FILE) and _is_searched(path, closed):
            with suppress(SettingError):
                named.update(named_by(files, path))
    globs = [one for one in named if GLOB.search(one)]
    return sorted((named & there) | {path for path in there for glob in globs if _matches(path, glob)})


def _matches(path: str, glob: str) -> bool:
    return fnmatchcase(path, glob) and ("**" in glob or path.count("/") == glob.count("/"))


def _is_searched(path: str, closed: set[str]) -> bool:
    """Whether a look at the folders comes by a file; `closed` are folders that it does not look into."""
    folders = path.split("/")[:-1]
    above = {"/".join(folders[: depth + 1]) for depth in range(len(folders))}
    return not above & closed and all(map(may_be_searched, folders))


def _look(location: RepositoryLocation, cache_dir: Path) -> _Held:
    assert location.root is not None, "a bare repository has no pipelines"
    root, place = location.root, cache_dir / "pipelines"
    held, made = _read(place, str(root)), time.time_ns()
    if not all(_stands(path, stat, held.made) for path, stat in held.rules.items()):
        held = _Held()
    folders = look(str(root), held.folders, held.made, lambda paths: _ignored(location, paths))
    if held.rules and held.rules.keys() != set(_rules(location, folders)):  # a new .gitignore judges what is known anew
        held = _Held()
        folders = look(str(root), {}, 0, lambda paths: _ignored(location, paths))
    marked = [f"{folder}{name}" for folder, one in folders.items() for name in one.names]
    readings = {file: _reading(root, file, held) for file in marked if not file.endswith(".gitignore")}
    named = {file for _, files in readings.values() for file in files}
    files = tuple(sorted({file for one in named for file in (_expand(root, one) if GLOB.search(one) else [one])}))
    if (folders, readings, files) == (held.folders, held.readings, held.files):
        return held
    rules = {path: stat_of(path) for path in _rules(location, folders)}
    found = _Held(made, rules, folders, readings, files)
    write(place, _plain(found, str(root)))
    return found


def _reading(root: Path, file: str, held: _Held) -> Reading:
    """What a file names as pipelines; from before where it has not moved."""
    known = held.readings.get(file)
    if known is not None and _stands(f"{root}/{file}", known[0], held.made):
        return known
    return stat_of(f"{root}/{file}"), tuple(named_by(on_disk(root), file))


def _stands(path: str, stat: Stat | None, made: int) -> bool:
    """Whether a file is as it was when it was looked at, at the time `made`."""
    return stat_of(path) == stat and (stat is None or is_stable(stat, made))


def _expand(root: Path, pattern: str) -> Iterator[str]:
    yield from (path.relative_to(root).as_posix() for path in root.glob(pattern) if path.suffix == ".py")


def _ignored(location: RepositoryLocation, paths: list[str]) -> set[str]:
    """Those of some paths that Git ignores."""
    assert location.root is not None, "asked only of a work tree"
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    # Exit code 1 says that nothing is ignored; a real failure gives no answer, and then nothing is left out.
    args = ["check-ignore", "--stdin", "-z"]
    answered = run_git(args, location.root, stdin=asked, env=location.environment(), check=False)
    return set(filter(None, os.fsdecode(answered).split("\0")))


def _rules(location: RepositoryLocation, folders: Mapping[str, CachedFolder]) -> Iterator[str]:
    """Files that say what Git ignores, and where it is said which they are."""
    yield from (f"{location.root}/{at}.gitignore" for at, one in folders.items() if ".gitignore" in one.names)
    settings = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    yield from (f"{location.common_dir}/info/exclude", f"{location.common_dir}/config")
    yield from (str(Path.home() / ".gitconfig"), f"{settings}/git/config", f"{settings}/git/ignore")


def _plain(held: _Held, root: str) -> list[Any]:
    folders = {at: astuple(one) for at, one in held.folders.items()}
    return [_MAGIC, root, held.made, held.rules, folders, held.readings, held.files]


def _read(place: Path, root: str) -> _Held:
    kept: Any = read(place)
    if not isinstance(kept, list) or kept[:2] != [_MAGIC, root]:
        return _Held()
    made, rules, folders, readings, files = kept[2:]
    return _Held(made, rules, {at: CachedFolder(*one) for at, one in folders.items()}, readings, files)
