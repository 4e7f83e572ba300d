"""A live stage: a function with its artifacts, loaders and parameters, in the process that imported it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from pivot.errors import PipelineError
from pivot.pipeline.annotations import function_types
from pivot.pipeline.bound_artifacts import BoundOutput, Input
from pivot.pipeline.load_inputs import load_input, nearest
from pivot.pipeline.loaders import PathOnly
from pivot.pipeline.param_types import to_json
from pivot.pipeline.params import params_values, settable, untold, untold_fields
from pivot.pipeline.paths import prefix_of
from pivot.pipeline.save_outputs import save_all
from pivot.pipeline.signature import Signature
from pivot.pipeline.source_location import SourceLine, relative_to
from pivot.pipeline.spec import Location, Policy, StageSpec


class Home(Struct, frozen=True):
    """The pipeline that a stage is registered in: its name, its folder, which is the stage's working directory, and the
    file that made it."""

    pipeline: str
    root: Path
    file: str = ""


class Stage(Struct, frozen=True):
    """`name` is as registered; the name that is unique in the repository is given to `to_spec`.

    `values` are those of its variant, by name.
    """

    name: str
    function: Callable[..., Any]
    signature: Signature
    params: Any
    home: Home
    line: SourceLine
    frozen: bool = False
    always: bool = False
    policy: Policy = field(default_factory=Policy)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> Location:
        return self.line.find() or Location("<unknown>", 0)

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.signature.inputs

    @property
    def outputs(self) -> tuple[BoundOutput, ...]:
        return self.signature.outputs

    @property
    def pipeline(self) -> str:
        return self.home.pipeline

    @property
    def root(self) -> Path:
        return self.home.root

    @property
    def loaders(self) -> dict[str, Any]:
        """Each artifact's loader: an input's by parameter, an output's by `return` or `return.<key>`."""
        found = {item.key: item.loader for item in self.inputs}
        for item in self.outputs:
            found["return" if self.signature.single else f"return.{item.key}"] = item.loader
        return found

    @property
    def untold(self) -> dict[str, Any]:
        """Values that a record does not tell in full, such as functions: they are code of the stage."""
        injected = self.signature.injected
        found = untold(injected, function_types(self.function)) if injected else {}
        return {**found, **({} if self.params is None else untold_fields(self.params))}

    def to_spec(self, root: Path, file: str, name: str) -> StageSpec:
        """As plain data; `root` is the repository, `file` the pipeline file in it.

        Raises:
            PipelineError: a path is outside the repository, or a parameter cannot be recorded.
        """
        repository = _resolved(root)
        prefix = prefix_of(self.root, repository)
        return StageSpec(
            name=name,
            pipeline=self.pipeline,
            file=file,
            root="" if prefix == "." else prefix,
            function=self.function.__qualname__,
            where=relative_to(self.where, repository),
            deps=tuple(item.to_spec(prefix, repository) for item in self.inputs),
            outs=tuple(item.to_spec(prefix, repository) for item in self.outputs),
            params=self._params(repository),
            frozen=self.frozen,
            always=self.always,
            policy=self.policy,
            origin=relative_to(Location(self.home.file, 1), repository).file,
        )

    def _params(self, repository: Path) -> dict[str, Any]:
        """By name: values of the variant that the function takes, and the fields of the parameter object."""
        try:
            values = {name: to_json(value, repository) for name, value in self.signature.injected.items()}
        except TypeError as error:
            raise PipelineError(
                f"a value of `{self.name}` cannot be recorded: {error}", where=self.line.text
            ) from error
        return {**values, **({} if self.params is None else params_values(self.params, repository))}

    def settable(self) -> list[str]:
        """The parameters that may be given from outside: a value of the variant may not."""
        return [] if self.params is None else [name for name in settable(self.params) if name not in self.values]

    def load_inputs(self, folder: Path) -> dict[str, Any]:
        """The arguments of the function: each parameter's value, and the parameter object.

        Raises:
            InputError: a dep is missing, or its loader cannot read it.
        """
        near = nearest(folder)
        values = {item.key: load_input(item, near, self.name) for item in self.inputs}
        values.update(self.signature.injected)
        if self.signature.params is not None:
            values[self.signature.params.name] = self.params
        return values

    def prepare_outputs(self, folder: Path) -> None:
        """Make the folders that the outputs stand in, so that a function that writes its file need not."""
        for item in self.outputs:
            for path, loader in zip(item.paths, item.loaders, strict=True):
                if isinstance(loader, PathOnly):
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)

    def save_outputs(self, value: Any, folder: Path) -> None:
        """Write what the function returned, or check that it has written it.

        Raises:
            CheckFailed: the value is not what the return type says, or an output is missing.
        """
        save_all(value, self.outputs, self.signature.single, nearest(folder), self.name)


@lru_cache(maxsize=16)
def _resolved(root: Path) -> Path:
    """Asked for every stage of a repository."""
    return root.resolve()
