"""Parameters given from outside the code: by the params file, by environment variables, by `--set`, the last strongest.

What is given is applied where the pipeline has been imported, in the process that plans with it and in the one that
runs it alike, so that both have the same values.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import PipelineError
from pivot.pipeline.param_types import field_values, is_params_class
from pivot.pipeline.params import closest, override
from pivot.pipeline.params_file import Branch, ParamsFile, Value, merged, section
from pivot.pipeline.source_location import said_line
from pivot.pipeline.stage import Stage

PREFIX = "PIVOT_PARAMS_"
_LIKE = 0.75
"""How like a stage's name (`difflib`) a key must be to be taken for a slip of it."""
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}


class Given(Struct, frozen=True):
    """A value for one parameter: `key` is `STAGE.NAME`, or `STAGE__NAME` in capitals for an environment variable.

    A stage may have dots and equal signs in its name, so `text` is split where the names are known: it is
    `train.lr=0.1` as typed.
    """

    text: str
    variable: bool = False

    @property
    def where(self) -> str:
        return f"${PREFIX}{self.text}" if self.variable else f"--set {self.text}"


class _Aim(Struct, frozen=True):
    """What a `Given` is for: a stage (or all its variants), the parameter below it, and the value as typed."""

    stage: str
    names: tuple[str, ...]
    text: str


def given_options(options: Iterable[str]) -> tuple[Given, ...]:
    """From the values of `--set`.

    Raises:
        PipelineError: one is not `STAGE.NAME=VALUE`.
    """
    found = tuple(Given(text) for text in options)
    for one in found:
        if not re.match(r"[^=.]+.*\..*=", one.text, re.DOTALL):
            raise PipelineError(f"`--set {one.text}` names no parameter", hint="Write --set STAGE.NAME=VALUE.")
    return found


def given_variables(environment: Mapping[str, str]) -> tuple[Given, ...]:
    """From `PIVOT_PARAMS_<STAGE>__<NAME>`, sorted."""
    names = sorted(name for name in environment if name.startswith(PREFIX))
    return tuple(Given(f"{name.removeprefix(PREFIX)}={environment[name]}", variable=True) for name in names)


def check_stages(given: Iterable[Given], stages: Iterable[str]) -> None:
    """See that each names a stage of the repository.

    Raises:
        PipelineError: one names none; the closest is named.
    """
    names = list(stages)
    for one in given:
        if _aim(one, names) is None:
            known = sorted({_base(name) for name in names})
            said = one.text.partition("=")[0].rpartition("__" if one.variable else ".")[0] or one.text
            raise PipelineError(
                f"there is no stage `{said}`",
                where=one.where,
                hint=closest(said.lower() if one.variable else said, known),
            )


def apply_given(
    live: Mapping[str, Stage], file: ParamsFile, given: Iterable[Given], *, folder: str, alone: bool
) -> dict[str, Stage]:
    """The stages with the values given for them.

    `folder` is the pipeline's, with `/` at its end, which stands in front of the stages' names but not in the file.
    `alone` says that no other pipeline file shares the params file, so that it may name no other stages.

    Raises:
        PipelineError: an unknown name, or a value of another type.
    """
    names = {name: name.removeprefix(folder) for name in live}
    if alone:
        _refuse_unknown_stages(file.stages, {*names.values(), *map(_base, names.values())})
    aims = [(one, aim) for one in given if (aim := _aim(one, live)) is not None]
    return {name: _apply(name, stage, _sources(name, names[name], file, aims, stage)) for name, stage in live.items()}


def _sources(name: str, local: str, file: ParamsFile, aims: list[tuple[Given, _Aim]], stage: Stage) -> list[Branch]:
    """All that is given for a stage, the weakest first; what names one variant is stronger than what names all."""
    found = [section(key, file.stages[key]) for key in dict.fromkeys((_base(local), local)) if key in file.stages]
    for variable in (True, False):
        for wanted in dict.fromkeys((_base(name), name)):
            own = [(one, aim) for one, aim in aims if one.variable == variable and aim.stage == wanted]
            found += [_branch(one, aim, stage) for one, aim in own]
    return found


def _apply(name: str, stage: Stage, sources: list[Branch]) -> Stage:
    given = Branch(said_line(""))
    for source in sources:
        given = merged(given, source)
    if not given.values:
        return stage
    first = next(iter(given.values.values()))
    for one, held in given.values.items():
        if one in stage.values:
            raise PipelineError(
                f"`{one}` of `{name}` is set by its variant",
                where=held.line.text,
                hint="Change the matrix or the variants where the stage is registered.",
            )
    if stage.params is None:
        raise PipelineError(
            f"stage `{name}` takes no parameters",
            where=first.line.text,
            hint="Give its function a parameter: def train(..., params: TrainParams).",
        )
    return replace(stage, params=override(stage.params, given))


def is_foreign(file: ParamsFile, names: Iterable[str]) -> bool:
    """Whether a params file is meant for another tool: no key in it is the name of a stage, or like one.

    `names` are those of the stages as the file has them.
    """
    known = {name for local in names for name in (local, _base(local))}
    return bool(file.stages) and not any(difflib.get_close_matches(key, known, 1, _LIKE) for key in file.stages)


def _refuse_unknown_stages(stages: Mapping[str, Value | Branch], known: set[str]) -> None:
    for name, held in stages.items():
        if name not in known:
            section(name, held)
            raise PipelineError(
                f"the params file names the stage `{name}`, which does not exist",
                where=held.line.text,
                hint=closest(name, known),
            )


def _aim(one: Given, stages: Iterable[str]) -> _Aim | None:
    """The stage with the longest name that fits; a name without its variant means all variants."""
    names = {*stages, *map(_base, stages)}
    joint = "__" if one.variable else "."
    spelled = {_capitals(name) if one.variable else name: name for name in sorted(names)}
    fitting = [text for text in spelled if one.text.startswith(text + joint)]
    if not fitting:
        return None
    longest = max(fitting, key=len)
    key, _, text = one.text[len(longest) + len(joint) :].partition("=")
    return _Aim(spelled[longest], tuple(key.split(joint)), text)


def _branch(one: Given, aim: _Aim, stage: Stage) -> Branch:
    line = said_line(one.where)
    names = _as_declared(aim.names, stage.params) if one.variable else aim.names
    held: Value | Branch = Value(read_value(aim.text), line, aim.text)
    for name in reversed(names):
        held = Branch(line, {name: held})
    assert isinstance(held, Branch)
    return held


def _as_declared(names: tuple[str, ...], params: Any) -> tuple[str, ...]:
    """Names as the parameter classes spell them, from capitals."""
    found = []
    for name in names:
        values = field_values(params) if is_params_class(type(params)) else {}
        spelled = {_capitals(known): known for known in values}.get(name, name.lower())
        params = values.get(spelled)
        found.append(spelled)
    return tuple(found)


def read_value(text: str) -> Any:
    """A number, true, false, null, or a JSON list or object; else the text as it is."""
    if text in _WORDS:
        return _WORDS[text]
    for read in (int, json.loads, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _base(name: str) -> str:
    """The name of a stage without its variant."""
    return name.partition("@")[0]


def _capitals(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
