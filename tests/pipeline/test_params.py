"""Parameters: typed, validated, frozen; from a class, an instance or a dict; recorded as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import pickle
import uuid
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pivot
from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import PipelineError
from pivot.pipeline.param_types import convert, to_json
from pivot.pipeline.params import override, params_values, untold_fields
from pivot.pipeline.params_file import Branch, Value
from pivot.pipeline.source_location import known_line
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


class Spans(pivot.StageParams):
    seed: int = 0
    every: datetime.timedelta = datetime.timedelta(days=1)
    phase: complex = 0j
    steps: range = range(3)


# (field, what a file, a variable or the code may give, what the stage has)
SPANS = [
    ("seed", str(2**70), 2**70),
    ("seed", hex(1 << 4000), 1 << 4000),
    ("every", "P1DT2H3M4.5S", datetime.timedelta(1, 2 * 3600 + 3 * 60 + 4, 500_000)),
    ("every", "-PT1S", datetime.timedelta(seconds=-1)),
    ("phase", 2, 2 + 0j),
    ("phase", "1-2j", 1 - 2j),
    ("steps", [1, 10, 3], range(1, 10, 3)),
    ("steps", "range(5, 9)", range(5, 9)),
]


@pytest.mark.parametrize(("name", "given", "held"), SPANS)
def test_text_gives_values_that_json_has_no_type_for(name: str, given: Any, held: Any) -> None:
    assert getattr(Spans(**{name: given}), name) == held


@pytest.mark.parametrize(
    ("name", "given"),
    [("seed", "5"), ("seed", "1e30"), ("every", "P"), ("every", "1 day"), ("every", "P1DT"), ("phase", "i"),
     ("phase", True), ("steps", [1, 2, 0]), ("steps", (1, 2, 0)), ("steps", ["a"]), ("steps", "3"),
     ("steps", "range(1, 2, 0)")],
)  # fmt: skip
def test_text_that_means_no_such_value_is_refused(name: str, given: Any) -> None:
    with pytest.raises(PipelineError, match="expected"):
        Spans(**{name: given})


@pytest.mark.parametrize(("name", "given", "held"), TAKEN)
def test_a_value_is_converted_where_nothing_is_lost(name: str, given: Any, held: Any) -> None:
    found = getattr(Train(**{name: given}), name)
    assert (found, type(found)) == (held, type(held))


@pytest.mark.parametrize("given", [3, "text", [1, "x"], {"key": None}, Kind.FAST])
def test_any_takes_every_value(given: Any) -> None:
    assert Free(value=given).value is given


@pytest.mark.parametrize("given", ["\udcff", ["\udcff"], object(), {"a": [object()]}])
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
    ("limit", "5", "expected int | None, not '5'"),
    ("rate", 10**400, "expected float, not an integer that is too large for one"),
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


# (value, its form): a form never changes, since records and fingerprints hold it
FORMS = [
    (True, True),
    (3, 3),
    (2**64 - 1, 2**64 - 1),
    (-(2**63), -(2**63)),
    (2**64, "18446744073709551616"),
    (-(2**63) - 1, "-9223372036854775809"),
    (1 << 4000, hex(1 << 4000)),
    (0.5, 0.5),
    ("text", "text"),
    (b"\xff\0", "ff00"),
    (Kind.EXACT, "EXACT"),
    (Path("a/b"), "a/b"),
    (datetime.date(2024, 2, 29), "2024-02-29"),
    (datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.UTC), "2024-02-29T01:02:03+00:00"),
    (datetime.time(1, 2), "01:02:00"),
    (decimal.Decimal("1.10"), "1.10"),
    (datetime.timedelta(), "PT0S"),
    (datetime.timedelta(days=1, hours=12), "P1DT43200S"),
    (datetime.timedelta(days=-7), "-P7D"),
    (datetime.timedelta(microseconds=-1), "-PT0.000001S"),
    (1 + 2j, "1+2j"),
    (complex(-0.0, -0.0), "-0-0j"),
    (range(3), "range(0, 3)"),
    (range(10, 0, -2), "range(10, 0, -2)"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (fractions.Fraction(1, 3), "1/3"),
    ({"a": (1, {2**64})}, {"a": [1, ["18446744073709551616"]]}),
]


@pytest.mark.parametrize(("value", "form"), FORMS)
def test_a_value_has_one_form_in_a_record(value: Any, form: Any) -> None:
    found = params_values(Free(value=value))["value"]
    assert (found, type(found)) == (form, type(form))
    assert parse_canonical(canonical_json(found)) == form


def test_arrays_of_numpy_have_the_form_of_lists() -> None:
    numpy = pytest.importorskip("numpy")
    array = numpy.array(["2024-02-29"], dtype="datetime64[D]")
    assert params_values(Free(value=array))["value"] == ["2024-02-29"]
    assert params_values(Free(value=numpy.complex128(1 + 2j)))["value"] == "1+2j"


SCALARS = {
    int: st.integers(),
    float: st.floats(allow_nan=False),
    complex: st.complex_numbers(allow_nan=False),
    datetime.timedelta: st.timedeltas(),
    datetime.date: st.dates(),
    datetime.datetime: st.datetimes().map(lambda value: value.replace(fold=0)),
    datetime.time: st.times().map(lambda value: value.replace(fold=0)),
    decimal.Decimal: st.decimals(allow_nan=False),
    fractions.Fraction: st.fractions(),
    uuid.UUID: st.uuids(),
    range: st.builds(range, st.integers(), st.integers(), st.integers(1)),
}


@pytest.mark.parametrize("kind", SCALARS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_the_form_and_the_type_give_the_value_back(kind: type, data: st.DataObject) -> None:
    value = data.draw(SCALARS[kind])
    form = parse_canonical(canonical_json(to_json(value, None)))
    back = convert(form, kind, lambda _kind, _values: None)
    assert (repr(back), type(back)) == (repr(value), kind)


def test_a_large_integer_and_its_text_are_two_values() -> None:
    class Either(pivot.StageParams):
        value: int | str = 0

    assert list(untold_fields(Either(value=2**64))) == ["value"]
    assert list(untold_fields(Either(value=str(2**64)))) == []


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


@pytest.mark.parametrize("library", ["", "pydantic"])
def test_a_nested_default_is_copied_for_each_object(library: str) -> None:
    nested = pytest.importorskip(library).create_model("Model", rate=(float, 0.1))() if library else Plain()

    class Outer(pivot.StageParams):
        inner: Any = nested

    one, other = Outer(), Outer()
    assert one.inner == other.inner == nested
    assert one.inner is not other.inner
    changed = override(one, Branch(HERE, {"inner": Branch(HERE, {"rate": Value(0.5, HERE)})}))
    assert (changed.inner.rate, one.inner.rate) == (0.5, 0.1)
