"""What an analysis has read, put together after it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pivot.code.environment import WHOLE, digest_of_environment
from pivot.code.evidence import Evidence, FileSeen, FolderSeen, digest_of_bytes, runtime, see_file, see_folder
from pivot.code.graph.manifest import Remark
from pivot.code.importing.open_pipeline import Imported
from pivot.code.importing.packages import top_imports
from pivot.code.importing.source_importer import SourceImporter
from pivot.code.lookup.modules import EXTENSIONS, Modules


def volatile_remarks(imported: Imported) -> tuple[Remark, ...]:
    """What the import did that no later look at files can check."""
    files = imported.importer.files
    return tuple(
        Remark(
            "untracked",
            Path(path).stem,
            files.relative(path),
            line,
            why,
            "make a stage of it, or do it in the function",
        )
        for (path, line), why in sorted(imported.watch.volatile.items())
    )


def gather(imported: Imported, modules: Modules, outputs: Iterable[str]) -> Evidence:
    """All that this analysis read; `outputs` are the repository-relative paths that its stages write."""
    importer, watch = imported.importer, imported.watch
    seen: dict[str, FileSeen] = {}
    for path, source in importer.by_path.items():
        seen[path] = see_file(path, digest_of_bytes(source.data))
    for path in sorted(modules.binaries | _compiled(importer)):
        seen[path] = see_file(path)
    for path, data in imported.params.read.items():
        seen[path] = see_file(path, digest_of_bytes(data) if data is not None else "")
    for path in sorted(watch.asked - seen.keys()):
        seen[path] = see_file(path, "")
    for path in sorted(watch.opened):
        if Path(path).is_file() or not Path(path).exists():
            seen[path] = see_file(path)
    written = [f"{root}/{path}" for root in importer.files.roots for path in outputs]
    folders: dict[str, FolderSeen] = {
        path: see_folder(path, None, _names_below(path, written))
        for path in sorted(watch.listed)
        if not any((path + "/").startswith(out + "/") for out in written)
    }
    for path, names in _searched(importer, modules).items():
        folders.setdefault(path, see_folder(path, names))
    for path in sys.path:
        if Path(path).name in ("site-packages", "dist-packages"):
            folders.setdefault(path, see_folder(path, None))
            seen.update((str(one), see_file(str(one))) for one in _path_files(Path(path)))
    environment = {"PYTHONPATH": imported.environment.get("PYTHONPATH"), **watch.environment}
    volatile = next(iter(watch.volatile.values()), "")
    if watch.reads_all_variables:
        environment[WHOLE] = digest_of_environment(imported.environment)
    return Evidence(runtime(), imported.made, seen, folders, environment, volatile)


def _path_files(folder: Path) -> list[Path]:
    """Files of an installation that say where code outside it is: an editable install may move to another folder."""
    return [*folder.glob("*.pth"), *folder.glob("__editable___*.py")]


def _compiled(importer: SourceImporter) -> set[str]:
    """The extension modules of the project that have been imported: no source of theirs passes the importer."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {file for file in files if isinstance(file, str) and file.endswith(EXTENSIONS) and importer.files.owns(file)}


def _names_below(folder: str, paths: list[str]) -> set[str]:
    """What stands in a folder on the way to paths below it."""
    return {path[len(folder) + 1 :].partition("/")[0] for path in paths if path.startswith(folder + "/")}


def _searched(importer: SourceImporter, modules: Modules) -> dict[str, set[str]]:
    """Project folder -> the names that an import looked for in it: a new file of such a name may shadow a module."""
    found: dict[str, set[str]] = {}
    names = dict(importer.witness.names)
    imported = {name.partition(".")[0] for source in importer.by_path.values() for name in top_imports(source)}
    for name in modules.looked_up | imported:
        names.setdefault(name, None)
    for name, search in names.items():
        parent, _, last = name.rpartition(".")
        places = search
        if places is None:
            package = sys.modules.get(parent)
            places = tuple(map(str, getattr(package, "__path__", ()))) if parent else tuple(sys.path)
        for place in places:
            if place and importer.files.owns(place + "/."):
                found.setdefault(place, set()).add(last)
    return found
