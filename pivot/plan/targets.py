"""From what the user names (stages, output paths, globs, `STAGE+`) to a set of stages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from posixpath import normpath

from pivot.errors import TargetError
from pivot.graph import Graph
from pivot.pipeline.spec import StageSpec


def select(targets: Sequence[str], specs: Sequence[StageSpec], graph: Graph, folder: str = "") -> list[str]:
    """The named stages themselves, in running order, without their upstreams; `STAGE+` adds what depends on it.

    `folder` is the repository-relative folder that output paths are given from.

    Raises:
        TargetError: a target names nothing; the sentence has the closest name.
    """
    found: set[str] = set()
    for target in targets:
        plain = target.removesuffix("+")
        named = _named(plain, specs, folder) or _named(target, specs, folder)
        if not named:
            raise _unknown(target, specs)
        found |= graph.with_downstreams(named) if plain != target else named
    return [name for name in graph.order if name in found]


def _named(target: str, specs: Sequence[StageSpec], folder: str) -> set[str]:
    exact = {spec.name for spec in specs if spec.name == target}
    if exact:
        return exact
    if variants := {spec.name for spec in specs if spec.name.partition("@")[0] == target}:
        return variants
    path = normpath(f"{folder}/{target}" if folder else target)
    by_path = {spec.name for spec in specs if path in spec.out_paths()}
    return by_path or {
        spec.name
        for spec in specs
        if fnmatchcase(spec.name, target) or any(fnmatchcase(out, path) for out in spec.out_paths())
    }


def _unknown(target: str, specs: Sequence[StageSpec]) -> TargetError:
    names = [*(spec.name for spec in specs), *(path for spec in specs for path in spec.out_paths())]
    near = difflib.get_close_matches(target, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else "`git pivot dag` shows the stages and their outputs."
    return TargetError(f"no stage, output or glob matches {target}", hint=hint)
