"""The folders of a work tree that may hold pipelines, as a look at them leaves them: what has not moved is not listed
again.

Hidden folders, those that Git ignores, virtual environments and repositories of their own are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from pivot.code.evidence import is_stable, stat_of

Stat = tuple[int, int, int, int]
Ignored = Callable[[list[str]], set[str]]

MARKS = frozenset({"pipeline.py", "__init__.py", "pyproject.toml", ".gitignore"})
_ENDS = {"pyvenv.cfg", ".git"}
_LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}


class CachedFolder(Struct, frozen=True):
    """One folder: `names` are its files that matter, `below` the folders to look into, `ignored` those that Git
    ignores."""

    stat: Stat | None
    names: tuple[str, ...]
    below: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def look(root: str, held: Mapping[str, CachedFolder], made: int, ignored: Ignored) -> dict[str, CachedFolder]:
    """Every folder that may hold a pipeline, by its path ("" or with `/` at its end).

    `held` is what an earlier look found at the time `made` (ns); `ignored` says which of some paths Git ignores.
    """
    found: dict[str, CachedFolder] = {}
    level = [""]
    while level:
        listed: dict[str, CachedFolder] = {}
        for folder in level:
            stat, kept = stat_of(f"{root}/{folder}"), held.get(folder)
            if kept is not None and kept.stat == stat and stat is not None and is_stable(stat, made):
                found[folder] = kept
            else:
                listed[folder] = _list(f"{root}/{folder}", stat, is_top=not folder)
        found |= _judge(listed, held, ignored)
        level = [f"{folder}{name}/" for folder in level for name in found[folder].below]
    return found


def _judge(
    listed: Mapping[str, CachedFolder], held: Mapping[str, CachedFolder], ignored: Ignored
) -> dict[str, CachedFolder]:
    """Leave out what Git ignores; it is asked about folders that are new."""
    known = {f"{at}{name}" for at in listed if at in held for name in held[at].below}
    out = {f"{at}{name}" for at in listed if at in held for name in held[at].ignored}
    new = [path for at, one in listed.items() for name in one.below if (path := f"{at}{name}") not in known | out]
    out |= ignored(new) if new else set()
    return {at: _without(one, [name for name in one.below if f"{at}{name}" in out]) for at, one in listed.items()}


def _without(folder: CachedFolder, names: Iterable[str]) -> CachedFolder:
    out = tuple(names)
    return CachedFolder(folder.stat, folder.names, tuple(name for name in folder.below if name not in out), out)


def _list(path: str, stat: Stat | None, *, is_top: bool) -> CachedFolder:
    try:
        with os.scandir(path) as entries:
            found = list(entries)
    except OSError:
        return CachedFolder(stat, (), ())  # a folder that may not be read holds no pipeline that could be run
    names = {entry.name for entry in found}
    if not is_top and names & _ENDS:
        return CachedFolder(stat, (), ())
    return CachedFolder(stat, tuple(sorted(names & MARKS)), tuple(entry.name for entry in found if _may_hold(entry)))


def _may_hold(entry: os.DirEntry[str]) -> bool:
    return may_be_searched(entry.name) and entry.is_dir(follow_symlinks=False)


def may_be_searched(name: str) -> bool:
    """Whether a folder of this name is looked into."""
    return not name.startswith(".") and name not in _LEFT_OUT
