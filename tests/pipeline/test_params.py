"""Parameters: typed, validated, frozen; from a class, an instance or a dict; recorded as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import pickle
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest

import pivot
from pivot.errors import PipelineError
from pivot.pipeline.location import known_line
from pivot.pipeline.params import override, params_values
from pivot.pipeline.params_file import Branch, Value
from pivot.pipeline.spec import Location
from tests.pipeline.project import Project

HERE = known_line(Location("params.yaml", 3))


class Kind(enum.Enum):
    FAST = "fast"
    EXACT = "exact"


class Optimizer(pivot.StageParams):
    name: str = "adam"
    rate: float = 0.1


class Free(pivot.StageParams):
    value: Any = None


class Train(pivot.StageParams):
    rate: float = 0.1
    layers: tuple[int, ...] = (8, 8)
    optimizer: Optimizer = Optimizer()
    kind: Kind = Kind.FAST
    limit: int | None = None
    bound: float | int = 1.5
    mode: Literal["a", "b"] = "a"
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Plain:
    rate: float = 0.1
    since: datetime.date = datetime.date(2024, 2, 29)
    folder: Path = Path("data")


def test_a_subclass_is_a_frozen_dataclass_without_a_decorator() -> None:
    assert Optimizer() == Optimizer(rate=0.1)
    assert hash(Optimizer()) == hash(Optimizer(rate=0.1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Optimizer().rate = 3.0  # type: ignore[misc]


def test_params_travel_between_processes() -> None:
    assert pickle.loads(pickle.dumps(Train(rate=3))) == Train(rate=3.0)
    changed: Any = dataclasses.replace(Optimizer(), rate=1)
    assert type(changed.rate) is float


# (field, given, held)
TAKEN = [
    ("rate", 1, 1.0),
    ("layers", [1, 2], (1, 2)),
    ("optimizer", {"rate": 1}, Optimizer(rate=1.0)),
    ("kind", "exact", Kind.EXACT),
    ("kind", "EXACT", Kind.EXACT),
    ("limit", 3, 3),
    ("limit", None, None),
    ("bound", 3, 3),
    ("mode", "b", "b"),
    ("tags", ("x",), ["x"]),
]


@pytest.mark.parametrize(("name", "given", "held"), TAKEN)
def test_a_value_is_converted_where_nothing_is_lost(name: str, given: Any, held: Any) -> None:
    found = getattr(Train(**{name: given}), name)
    assert (found, type(found)) == (held, type(held))


@pytest.mark.parametrize("given", [3, "text", [1, "x"], {"key": None}, Kind.FAST])
def test_any_takes_every_value(given: Any) -> None:
    assert Free(value=given).value is given


@pytest.mark.parametrize("given", [2**64, -(2**63) - 1, "\udcff", ["\udcff"]])
def test_what_no_record_can_hold_is_refused(given: Any) -> None:
    with pytest.raises(PipelineError, match="the parameter `value` of Free cannot be recorded"):
        params_values(Free(value=given))


# (field, given, what was expected)
REFUSED = [
    ("rate", "0.1", "expected float, not '0.1'"),
    ("rate", True, "expected float, not True"),
    ("layers", 3, "expected tuple[int, ...], not 3"),
    ("layers", [1, "x"], "expected int, not 'x'"),
    ("layers", [1.5], "expected int, not 1.5"),
    ("optimizer", 3, "expected Optimizer, not 3"),
    ("kind", "slow", "expected one of FAST, EXACT, not 'slow'"),
    ("limit", 1.5, "expected int | None, not 1.5"),
    ("limit", True, "expected int | None, not True"),
    ("mode", "c", "expected one of 'a', 'b', not 'c'"),
    ("tags", "xy", "expected list[str], not 'xy'"),
]


@pytest.mark.parametrize(("name", "given", "expected"), REFUSED)
def test_a_value_of_another_type_is_refused_where_it_was_given(name: str, given: Any, expected: str) -> None:
    with pytest.raises(PipelineError) as caught:
        Train(**{name: given})
    assert caught.value.what == f"the parameter `{name}` of Train: {expected}"
    assert "test_params.py:" in str(caught.value.where)
    assert caught.value.hint == f"Change the value, or the type of `{name}` in Train."


def test_an_unknown_name_is_refused_with_the_closest_match() -> None:
    with pytest.raises(PipelineError) as caught:
        Train(optimiser=Optimizer())  # type: ignore[call-arg]
    assert (caught.value.what, caught.value.hint) == ("Train has no parameter `optimiser`", "Did you mean `optimizer`?")


def test_an_unknown_name_in_a_nested_value_is_refused_too() -> None:
    with pytest.raises(PipelineError, match=r"Optimizer has no parameter `rat`"):
        Train(optimizer={"rat": 1})  # type: ignore[arg-type]


def test_parameters_go_by_name() -> None:
    with pytest.raises(PipelineError, match="takes its parameters by name"):
        Train(0.1)  # type: ignore[call-arg]


def test_a_default_of_another_type_is_refused_at_its_own_line(project: Project) -> None:
    error = project.refused(
        """
        class P(pivot.StageParams):
            rate: float = "high"  # here
        def f(params: P) -> None: ...
        pipeline.register(f)
        """
    )
    assert (error.what, error.where) == ("the parameter `rate` of P: expected float, not 'high'", project.marked())


def test_the_users_own_check_sees_values_of_the_right_type() -> None:
    class Checked(pivot.StageParams):
        rate: float = 1.0

        def __post_init__(self) -> None:
            if self.rate < 0:
                raise ValueError("rate must not be negative")

    with pytest.raises(ValueError, match="must not be negative"):
        Checked(rate=-1)
    with pytest.raises(PipelineError, match="expected float"):
        Checked(rate="x")  # type: ignore[arg-type]


def test_a_class_inherits_parameters() -> None:
    class More(Optimizer):
        decay: float

    assert params_values(More(decay=0.5)) == {"name": "adam", "rate": 0.1, "decay": 0.5}


def test_values_are_recorded_as_json() -> None:
    assert params_values(Train()) == {
        "rate": 0.1,
        "layers": [8, 8],
        "optimizer": {"name": "adam", "rate": 0.1},
        "kind": "FAST",
        "limit": None,
        "bound": 1.5,
        "mode": "a",
        "tags": [],
    }
    assert params_values(Plain()) == {"rate": 0.1, "since": "2024-02-29", "folder": "data"}


def test_a_list_as_default_is_a_new_list_each_time() -> None:
    class Lists(pivot.StageParams):
        layers: list[int] = [8]  # noqa: RUF012 - that it works is the test
        table: ClassVar[list[int]] = []

    Lists().layers.append(9)
    assert (Lists().layers, Lists.table) == ([8], [])
    assert params_values(Lists()) == {"layers": [8]}


def test_sets_are_recorded_without_an_order() -> None:
    class Sets(pivot.StageParams):
        names: frozenset[str] = frozenset()

    assert params_values(Sets(names=frozenset("cab"))) == {"names": ["a", "b", "c"]}


def test_paths_below_the_repository_are_recorded_relative_to_it(tmp_path: Path) -> None:
    assert params_values(Plain(folder=tmp_path / "a/b"), tmp_path)["folder"] == "./a/b"
    assert params_values(Plain(folder=tmp_path), tmp_path)["folder"] == "."
    assert params_values(Plain(folder=tmp_path.parent), tmp_path)["folder"] == str(tmp_path.parent)


def test_a_value_without_a_stable_form_is_refused() -> None:
    class Odd(pivot.StageParams):
        thing: object = None

    with pytest.raises(PipelineError, match="the parameter `thing` of Odd cannot be recorded: object has no form"):
        params_values(Odd(thing=object()))


def branch(values: dict[str, Any]) -> Branch:
    held = {name: branch(one) if isinstance(one, dict) else Value(one, HERE) for name, one in values.items()}
    return Branch(HERE, held)


def apply_values(params: Any, values: dict[str, Any]) -> Any:
    return override(params, branch(values))


def test_overrides_replace_single_fields_deep_down() -> None:
    changed = apply_values(Train(), {"rate": 1, "optimizer": {"rate": 2}})
    assert (changed.rate, changed.optimizer) == (1.0, Optimizer(name="adam", rate=2.0))
    assert apply_values(Plain(), {"rate": 2}) == Plain(rate=2.0)


@pytest.mark.parametrize("values", [{"rte": 1}, {"rate": "x"}, {"optimizer": {"rte": 1}}, {"optimizer": {"rate": "x"}}])
def test_a_wrong_override_names_its_own_place(values: dict[str, Any]) -> None:
    with pytest.raises(PipelineError) as caught:
        apply_values(Train(), values)
    assert (caught.value.where, "rate" in str(caught.value)) == ("params.yaml:3", True)


DECLARED = """
import dataclasses
class P(pivot.StageParams):
    rate: float = 0.1
@dataclasses.dataclass
class Q:
    rate: float = 0.1
def f(params: P) -> Annotated[float, Out("a.json")]:
    return params.rate
def h(params: P | None = None) -> Annotated[float, Out("a.json")]:
    return params.rate
def g(settings: Q = Q(rate=0.5)) -> Annotated[float, Out("a.json")]:
    return settings.rate
"""


@pytest.mark.parametrize(
    ("registration", "rate"),
    [
        ("f", 0.1),
        ("f, params=P", 0.1),
        ("f, params=P(rate=2)", 2.0),
        ("f, params={'rate': 3}", 3.0),
        ("g", 0.5),
        ("h", 0.1),
        ("h, params=P(rate=4)", 4.0),
        ("g, params=Q()", 0.1),
        ("g, params={'rate': 3}", 3.0),
    ],
)
def test_params_reach_the_parameter_that_is_annotated_with_their_class(
    project: Project, registration: str, rate: float
) -> None:
    source = f"{DECLARED}\npipeline.register({registration})"
    assert project.run(source) == rate
    assert project.spec(source).params == {"rate": rate}


def test_pydantic_models_are_taken_too() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):  # type: ignore[name-defined, misc]
        rate: float = 0.1
        layers: list[int] = [1]  # noqa: RUF012 - pydantic copies it

    assert params_values(apply_values(Model(), {"rate": 2})) == {"rate": 2.0, "layers": [1]}
    with pytest.raises(PipelineError, match="Model has no parameter `rte`"):
        apply_values(Model(), {"rte": 2})
    with pytest.raises(PipelineError, match="Model does not take these values"):
        apply_values(Model(), {"rate": "x"})


def test_annotated_types_and_postponed_ones_are_checked() -> None:
    class Noted(pivot.StageParams):
        rate: Annotated[float, "a note"] = 1.0
        later: "int" = 1  # noqa: UP037 - with or without the future import

    with pytest.raises(PipelineError, match="expected int"):
        Noted(later="x")  # type: ignore[arg-type]
    with pytest.raises(PipelineError, match="expected float"):
        Noted(rate="x")  # type: ignore[arg-type]
