"""From what the user names (stages, output paths, folders, globs, `STAGE+`) to a set of stages.

A name is looked for where the user stands first: in `training/`, `train` is `training/train`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from posixpath import normpath

from pivot.errors import TargetError
from pivot.graph import Graph
from pivot.pipeline.spec import StageSpec

Way = Callable[[str, str, Sequence[StageSpec]], set[str]]


def select(targets: Sequence[str], specs: Sequence[StageSpec], graph: Graph, folder: str = "") -> list[str]:
    """The named stages themselves, in running order, without their upstreams; `STAGE+` adds what depends on it.

    `folder` is the repository-relative folder that names and paths are given from.

    Raises:
        TargetError: a target names nothing, or several stages of different pipelines; the sentence has their names.
    """
    found: set[str] = set()
    for target in targets:
        plain = target.removesuffix("+")
        if not plain:
            raise TargetError("a target is empty", hint="Name a stage, an output, a folder or a glob.")
        named = _named(plain, specs, folder) or _named(target, specs, folder)
        if not named:
            raise _unknown(target, specs)
        found |= graph.with_downstreams(named) if plain != target else named
    return [name for name in graph.order if name in found]


def stages_around(folder: str, specs: Sequence[StageSpec]) -> set[str]:
    """Stages of the pipelines in a folder and below it; of the nearest folder above where there are none."""
    while True:
        found = {spec.name for spec in specs if _is_below(spec.file, folder)}
        if found or not folder:
            return found
        folder = folder.rpartition("/")[0]


def _named(target: str, specs: Sequence[StageSpec], folder: str) -> set[str]:
    path = normpath(f"{folder}/{target}" if folder else target)
    found = (way(target, path, specs) for way in _WAYS)
    return next(filter(None, found), set())


def _by_place(_target: str, path: str, specs: Sequence[StageSpec]) -> set[str]:
    return _with_name(path, specs)


def _by_name(target: str, _path: str, specs: Sequence[StageSpec]) -> set[str]:
    return _with_name(target, specs)


def _with_name(name: str, specs: Sequence[StageSpec]) -> set[str]:
    exact = {spec.name for spec in specs if spec.name == name}
    return exact or {spec.name for spec in specs if _base(spec.name) == name}


def _by_output(_target: str, path: str, specs: Sequence[StageSpec]) -> set[str]:
    return {spec.name for spec in specs if path in spec.out_paths()}


def _by_pipeline(target: str, _path: str, specs: Sequence[StageSpec]) -> set[str]:
    """`pipeline:stage`, wherever the pipeline stands; both may be globs."""
    pipeline, colon, stage = target.partition(":")
    if not colon:
        return set()
    of_pipeline = [spec for spec in specs if fnmatchcase(spec.pipeline, pipeline)]
    return {spec.name for spec in of_pipeline if any(fnmatchcase(one, stage) for one in _own_names(spec))}


def _own_names(spec: StageSpec) -> tuple[str, str]:
    """A stage's name in its pipeline, with its variant and without."""
    name = spec.name.removeprefix(spec.prefix).removeprefix(f"{spec.pipeline}:")
    return name, _base(name)


def _by_folder(_target: str, path: str, specs: Sequence[StageSpec]) -> set[str]:
    """The pipelines in a folder or of a file; else the stages that write into it."""
    folder = "" if path == "." else path
    of_pipelines = {spec.name for spec in specs if _is_below(spec.file, folder) or spec.file == path}
    return of_pipelines or {spec.name for spec in specs if any(_is_below(out, folder) for out in spec.out_paths())}


def _by_last_part(target: str, _path: str, specs: Sequence[StageSpec]) -> set[str]:
    """A stage's name without its folder, where no other pipeline has one of that name."""
    found = {spec.name for spec in specs if _last_part(spec.name) == target}
    found = found or {spec.name for spec in specs if _last_part(_base(spec.name)) == target}
    if len({_base(name) for name in found}) > 1:
        names = sorted(found)
        raise TargetError(
            f"{target} is the name of {len(names)} stages: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}",
            hint=f"Name one, such as {names[0]}, or all: '*{target}'.",
        )
    return found


def _by_glob(target: str, path: str, specs: Sequence[StageSpec]) -> set[str]:
    return {spec.name for spec in specs if any(fnmatchcase(one, form) for one, form in _forms(spec, target, path))}


def _forms(spec: StageSpec, target: str, path: str) -> Iterable[tuple[str, str]]:
    yield spec.name, path
    yield spec.name, target
    yield from ((out, path) for out in spec.out_paths())


_WAYS: tuple[Way, ...] = (_by_place, _by_name, _by_output, _by_pipeline, _by_folder, _by_last_part, _by_glob)


def _base(name: str) -> str:
    """The name of a stage without its variant."""
    return name.partition("@")[0]


def _last_part(name: str) -> str:
    """Without the folder and the pipeline; a variant may have such characters itself."""
    base, at, variant = name.partition("@")
    return base.rpartition("/")[2].rpartition(":")[2] + at + variant


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def unknown_stage(name: str, known: Iterable[str], where: str = "`git pivot dag` shows the stages.") -> TargetError:
    """The error for a name that no stage has; the hint is the closest one of those `known`, else `where`."""
    return TargetError(f"there is no stage {name}", hint=near_name(name, known) or where)


def _unknown(target: str, specs: Sequence[StageSpec]) -> TargetError:
    names = [*(spec.name for spec in specs), *(path for spec in specs for path in spec.out_paths())]
    hint = near_name(target, names) or "`git pivot dag` shows the stages and their outputs."
    return TargetError(f"no stage, output, folder or glob matches {target}", hint=hint)


def near_name(target: str, names: Iterable[str]) -> str:
    """A question for the closest name; a stage is also known without its folder, its pipeline and its variant."""
    known = list(names)
    shown = {name: name for name in known}
    for name in known:
        for short, full in (
            (_base(name), _base(name)),
            (_last_part(_base(name)), _base(name)),
            (_last_part(name), name),
        ):
            shown.setdefault(short, full)
    near = difflib.get_close_matches(target.removesuffix("+"), shown, n=1)
    return f"Did you mean {shown[near[0]]}?" if near else ""
