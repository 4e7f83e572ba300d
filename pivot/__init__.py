"""Git-native Python pipelines: what a pipeline file imports.

The names are loaded on first use, so that `import pivot` costs nothing; no command pays for what it does not need.
"""

from __future__ import annotations

# A type checker takes this for `typing.TYPE_CHECKING`; importing `typing` would cost as much as starting Python does.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pivot.errors import InputError as InputError
    from pivot.errors import PipelineError as PipelineError
    from pivot.errors import PivotError as PivotError
    from pivot.pipeline import loaders as loaders
    from pivot.pipeline.artifacts import Dep as Dep
    from pivot.pipeline.artifacts import DirectoryOut as DirectoryOut
    from pivot.pipeline.artifacts import ExternalDep as ExternalDep
    from pivot.pipeline.artifacts import IncrementalOut as IncrementalOut
    from pivot.pipeline.artifacts import Metric as Metric
    from pivot.pipeline.artifacts import Out as Out
    from pivot.pipeline.artifacts import PlaceholderDep as PlaceholderDep
    from pivot.pipeline.artifacts import Plot as Plot
    from pivot.pipeline.artifacts import depends_on as depends_on
    from pivot.pipeline.params import StageParams as StageParams
    from pivot.pipeline.registry import Pipeline as Pipeline

_HOMES = {
    "Dep": "pipeline.artifacts",
    "DirectoryOut": "pipeline.artifacts",
    "ExternalDep": "pipeline.artifacts",
    "IncrementalOut": "pipeline.artifacts",
    "InputError": "errors",
    "Metric": "pipeline.artifacts",
    "Out": "pipeline.artifacts",
    "Pipeline": "pipeline.registry",
    "PipelineError": "errors",
    "PivotError": "errors",
    "PlaceholderDep": "pipeline.artifacts",
    "Plot": "pipeline.artifacts",
    "StageParams": "pipeline.params",
    "depends_on": "pipeline.artifacts",
    "loaders": "pipeline.loaders",
}

__all__ = [
    "Dep",
    "DirectoryOut",
    "ExternalDep",
    "IncrementalOut",
    "InputError",
    "Metric",
    "Out",
    "Pipeline",
    "PipelineError",
    "PivotError",
    "PlaceholderDep",
    "Plot",
    "StageParams",
    "depends_on",
    "loaders",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pivot' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    module = import_module(f"pivot.{home}")
    found: object = module if name == "loaders" else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
