"""Each part of Pivot imports only from lower floors, each room of a part only from rooms below it or itself, and each
outside library has one address."""

from __future__ import annotations

import graphlib
import sys
from pathlib import Path

import pytest

from tests.support.imports import Import, read_imports, read_package

PACKAGE = Path(__file__).parent.parent / "pivot"

FLOORS = {
    0: ("errors", "canonical"),
    1: ("pipeline", "git", "files"),
    2: ("graph", "state", "store"),
    3: ("code", "loaders"),
    4: ("project", "plan", "worker"),
    5: ("history", "pool", "schedule", "sync"),
    6: ("run",),
    7: ("sharing",),
    8: ("maintenance", "noop", "operations", "watch"),
    9: ("hooks", "reports"),
    10: ("cli",),
    11: ("__main__",),
}
# The rooms inside a part, from the bottom up; "" stands for the modules of the part itself.
ROOMS = {
    "code": ("", "discovery", "importing", "syntax", "lookup", "graph", "encode", "walk", "analysis"),
    "git": ("plumbing", "odb", ""),
    "pipeline": ("loaders", ""),
    "store": ("odb", "worktree", ""),
    "sync": ("remote", "remote.ssh", "", "transfer"),
}
FLOOR_OF = {part: floor for floor, parts in FLOORS.items() for part in parts}

# The face of the package, `pivot/__init__.py`: what users import, taken from these and from nowhere else.
FACE = "pivot"
FACE_MAY_IMPORT = ("errors", "pipeline")

ADDRESSES = {
    "blake3": ("pivot.store",),
    "click": ("pivot.cli",),
    "msgspec": ("pivot",),
    "networkx": ("pivot.graph",),
    "paramiko": ("pivot.sync.remote.ssh",),
    "pygit2": ("pivot.git.odb.libgit_backend",),
    "rich": ("pivot.reports",),
    "watchfiles": ("pivot.watch",),
    "xxhash": ("pivot",),
    # The libraries of the extras: a user's values are read and written with them.
    "matplotlib": ("pivot.pipeline",),
    "numpy": ("pivot.pipeline",),
    "pandas": ("pivot.pipeline",),
    "PIL": ("pivot.pipeline",),
    "polars": ("pivot.pipeline",),
    "pyarrow": ("pivot.pipeline",),
    "yaml": ("pivot.pipeline",),
}


def wrong_floor(found: Import) -> str | None:
    """Why this import inside the package may not stand, or None."""
    importer, target = _part(found.importer), _part(found.target)
    if importer == FACE:
        allowed = " and ".join(FACE_MAY_IMPORT)
        return None if target in FACE_MAY_IMPORT else f"{found}: the face of the package imports only from {allowed}"
    if target == FACE:
        return f"{found}: `pivot` itself is for users, name the module instead"
    for part in (importer, target):
        if part not in FLOOR_OF:
            return f"{found}: {part} stands on no floor"
    if importer == target:
        return _wrong_room(found, ROOMS.get(importer, ()))
    if FLOOR_OF[target] < FLOOR_OF[importer]:
        return None
    return f"{found}: floor {FLOOR_OF[importer]} imports from floor {FLOOR_OF[target]}"


def _wrong_room(found: Import, rooms: tuple[str, ...]) -> str | None:
    """Why this import inside one part may not stand, or None."""
    importer, target = _room(found.importer, rooms), _room(found.target, rooms)
    if not rooms or rooms.index(target) <= rooms.index(importer):
        return None
    return f"{found}: the room {importer or 'above'} lies below {target}"


def _room(module: str, rooms: tuple[str, ...]) -> str:
    inside = module.split(".", 2)[2] if module.count(".") > 1 else ""
    fitting = (room for room in rooms if room and _is_within(inside, room))
    return max(fitting, key=len, default="")


def wrong_address(found: Import) -> str | None:
    """Why this import of an outside library may not stand, or None."""
    library = found.target.partition(".")[0]
    if library in sys.stdlib_module_names:
        return None
    if library not in ADDRESSES:
        return f"{found}: a library without an address"
    if any(_is_within(found.importer, address) for address in ADDRESSES[library]):
        return None
    return f"{found}: {library} is imported only by {', '.join(ADDRESSES[library])}"


def violations(imports: list[Import]) -> list[str]:
    inside = [wrong_floor(found) for found in imports if _is_within(found.target, "pivot")]
    outside = [wrong_address(found) for found in imports if not _is_within(found.target, "pivot")]
    return [why for why in (*inside, *outside) if why]


def _part(module: str) -> str:
    return module if module == FACE else module.split(".")[1]


def _is_within(module: str, address: str) -> bool:
    return module == address or module.startswith(f"{address}.")


PACKAGE_SOURCES, PACKAGE_FOLDERS = read_package(PACKAGE)
PACKAGE_IMPORTS = read_imports(PACKAGE_SOURCES, PACKAGE_FOLDERS)


def test_every_part_imports_from_lower_floors_only_and_every_library_has_its_address() -> None:
    assert len(PACKAGE_IMPORTS) > 10, "the package was not read"
    assert not violations(PACKAGE_IMPORTS)


def test_every_module_stands_on_a_floor() -> None:
    assert {_part(module) for module in PACKAGE_SOURCES} - {FACE} <= FLOOR_OF.keys()


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for found in PACKAGE_IMPORTS:
        if found.target in PACKAGE_SOURCES and not found.by_name:
            sorter.add(found.importer, found.target)
    sorter.prepare()  # raises CycleError with the circle


@pytest.mark.parametrize(
    "importer, source",
    [
        ("pivot.state.run_cache", "from pivot.store import objects"),
        ("pivot.git.odb.open", "import pivot.pipeline.spec"),
        ("pivot.git.plumbing.refs", "from pivot.git.odb import objects"),
        ("pivot.code.lookup.targets", "from ..walk import classes"),
        ("pivot.pipeline.stage", "from ..state import records"),
        ("pivot.store.odb.objects", "from pivot.code.analysis.model import Stage"),
        ("pivot.plan.decide", "from pivot import cli"),
        ("pivot.plan.decide", "def f():\n    from pivot.run import child"),
        ("pivot.plan.decide", "if TYPE_CHECKING:\n    from pivot.reports import text"),
        ("pivot.plan.decide", "importlib.import_module('pivot.worker.stage_runner')"),
        ("pivot.plan.decide", "from pivot import Pipeline"),
        ("pivot.plan.decide", "import pivot"),
        ("pivot.plan.decide", "import rich.console"),
        ("pivot.git.odb.process_backend", "import pygit2"),
        ("pivot.git.odb.process_backend", "try:\n    import requests\nexcept ImportError:\n    pass"),
        ("pivot.novelty", "import pivot.errors"),
        ("pivot", "from pivot.store import objects"),
    ],
)
def test_a_wrong_import_is_seen_wherever_it_hides(importer: str, source: str) -> None:
    assert violations(_imports_of(importer, source))


@pytest.mark.parametrize(
    "importer, source",
    [
        ("pivot.state.run_cache", "from pivot.git.odb import objects"),
        ("pivot.state.run_cache", "from . import records"),
        ("pivot.plan.decide", "from pivot.errors import PivotError\nimport json, xxhash"),
        ("pivot.git.odb.libgit_backend", "import pygit2"),
        ("pivot.sync.remote.ssh.session", "import paramiko"),
        ("pivot.code.walk.classes", "from pivot.code.lookup import targets"),
        ("pivot", "from pivot.pipeline.stage import Stage"),
    ],
)
def test_a_right_import_is_let_through(importer: str, source: str) -> None:
    assert not violations(_imports_of(importer, source))


def _imports_of(importer: str, source: str) -> list[Import]:
    known = ("pivot.cli", "pivot.state.records", "pivot.worker.stage_runner", "pivot.store.odb.objects")
    sources = {**dict.fromkeys(known, ""), importer: source}
    return read_imports(sources, frozenset({"pivot", "pivot.cli"}))
