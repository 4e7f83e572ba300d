"""One function as several stages: matrices, named variants, and what collects their outputs."""

from __future__ import annotations

import json

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

PIPELINE = """
from typing import Annotated
import pivot
from pivot import Dep, Out

MATRIX = {"model": ["a", "b"], "seed": range(3)}

class Settings(pivot.StageParams):
    seed: int = 9
    rate: float = 0.5

def prepare() -> Annotated[str, Out("data.txt")]:
    return "data"

def clean(data: Annotated[str, Dep("data.txt")]) -> Annotated[str, Out("clean.txt")]:
    return data + " clean"

def train(
    model: str, data: Annotated[str, Dep("clean.txt")], settings: Settings
) -> Annotated[dict, Out("metrics/{model}-{seed}.json")]:
    return {"model": model, "seed": settings.seed, "rate": settings.rate}

def compare(
    found: Annotated[dict, Dep("metrics/{model}-{seed}.json", each=MATRIX)]
) -> Annotated[list, Out("all.json")]:
    return [[*key, value["model"], value["seed"], value["rate"]] for key, value in found.items()]

pipeline = pivot.Pipeline("matrix")
pipeline.register(prepare)
pipeline.register(clean)
pipeline.register(train, matrix=MATRIX)
pipeline.register(compare)
"""

NAMES = [f"train@model={model},seed={seed}" for model in "ab" for seed in range(3)]


@pytest.fixture
def matrix(repo: Repo) -> Repo:
    """Six combinations in a pipeline of four stages; nothing has run."""
    repo.write("pipeline.py", PIPELINE)
    repo.commit("matrix")
    return repo


def test_six_combinations_run_what_is_above_them_once(matrix: Repo) -> None:
    assert sorted(ran(matrix)) == sorted([*NAMES, "prepare", "clean", "compare"])
    assert json.loads(matrix.read("all.json")) == [[m, s, m, s, 0.5] for m in "ab" for s in range(3)]
    assert set(endings(matrix).values()) == {"unchanged"}
    noted = matrix.git("notes", "--ref=pivot", "show")
    assert noted.count("train@model%3Da,seed%3D") == 3


def test_another_value_runs_its_own_variants_alone(matrix: Repo) -> None:
    ran(matrix)
    matrix.replace("pipeline.py", '["a", "b"]', '["a", "c"]')
    assert sorted(ran(matrix)) == ["compare", *(f"train@model=c,seed={seed}" for seed in range(3))]


@pytest.mark.parametrize(
    ("target", "count"),
    [("train", 6), ("train@*", 6), ("train@model=a,*", 3), ("train@*seed=2", 2), ("train@model=b,seed=0", 1),
     ("metrics/a-*.json", 3)],
)  # fmt: skip
def test_names_and_globs_select_variants(matrix: Repo, target: str, count: int) -> None:
    matrix.pivot("repro", target).expect(0)
    assert len(list((matrix.path / "metrics").iterdir())) == count


def test_values_are_given_to_all_variants_or_to_one(matrix: Repo) -> None:
    matrix.write("params.yaml", "train: {rate: 1}\ntrain@model=a,seed=0: {rate: 2}\n")
    matrix.pivot("repro", "--set", "train@model=a,seed=1.rate=3").expect(0)
    rates = [row[-1] for row in json.loads(matrix.read("all.json"))]
    assert rates == [2.0, 3.0, 1.0, 1.0, 1.0, 1.0]


def test_a_value_of_the_matrix_is_not_overridden(matrix: Repo) -> None:
    said = matrix.pivot("repro", "--set", "train.seed=3").expect(2).err
    assert "`seed` of `train@model=a,seed=0` is set by its variant" in said


def test_logs_of_a_variant_are_its_own(matrix: Repo) -> None:
    matrix.replace("pipeline.py", '    return {"model"', '    print("I am", model)\n    return {"model"')
    ran(matrix)
    assert matrix.pivot("logs", "train@model=b,seed=1").expect(0).out == "I am b\n"


VARIANTS = """
from typing import Annotated
import pivot
from pivot import Dep, Out

SIZES = {"small": {"layers": [8]}, "large model": {"layers": [64, 64]}}

def train(variant: str, layers: list[int]) -> Annotated[dict, Out("{variant}.json")]:
    return {"variant": variant, "layers": layers}

def compare(found: Annotated[dict, Dep("{variant}.json", each=SIZES)]) -> Annotated[dict, Out("all.json")]:
    return {name: value["layers"] for name, value in found.items()}

pipeline = pivot.Pipeline("variants")
pipeline.register(train, variants=SIZES)
pipeline.register(compare)
"""


def test_named_variants_take_any_value(repo: Repo) -> None:
    repo.write("pipeline.py", VARIANTS)
    assert sorted(ran(repo)) == ["compare", "train@large%20model", "train@small"]
    assert json.loads(repo.read("all.json")) == {"small": [8], "large model": [64, 64]}
    assert json.loads(repo.read("large model.json"))["layers"] == [64, 64]


SCALARS = """
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated
import pivot
from pivot import Dep, Out

MATRIX = {"value": [2**100, date(2024, 2, 29), timedelta(hours=1), Decimal("1.10"), 1+2j, range(3)]}

class Params(pivot.StageParams):
    seed: int = 2**100 + 7
    window: timedelta = timedelta(days=1)
    phase: complex = 1j
    steps: range = range(3)

def each(value: object, params: Params) -> Annotated[str, Out("{value}.txt")]:
    return f"{value} {params.seed % 10} {params.window} {params.phase} {sum(params.steps)}"

def count(found: Annotated[dict, Dep("{value}.txt", each=MATRIX)]) -> Annotated[int, Out("count.json")]:
    return len(found)

pipeline = pivot.Pipeline("scalars")
pipeline.register(each, matrix=MATRIX)
pipeline.register(count)
"""


def test_values_that_json_has_no_type_for_are_parameters_and_make_variants(repo: Repo) -> None:
    repo.write("pipeline.py", SCALARS)
    repo.commit("scalars")
    names = ["1+2j", "1.10", "1267650600228229401496703205376", "2024-02-29", "PT3600S", "range(0, 3)"]
    assert len(ran(repo)) == len(names) + 1
    assert sorted(path.stem for path in repo.path.glob("*.txt")) == sorted(names)
    assert repo.read("2024-02-29.txt") == "2024-02-29 3 1 day, 0:00:00 1j 3"
    assert set(endings(repo).values()) == {"unchanged"}
    repo.pivot("verify").expect(0)
    repo.write("params.yaml", f"each: {{seed: {2**90}, window: PT1H, steps: [0, 10, 5]}}")
    ran(repo)
    assert repo.read("2024-02-29.txt") == "2024-02-29 4 1:00:00 1j 5"


# (edit of the matrix pipeline, what is said)
WRONG = [
    ("{model}-{seed}.json\")]:", "{model}-{sed}.json\")]:", "has {sed}, and no variant has such a value"),
    ("{model}-{seed}.json\")]:", "{model}.json\")]:", "metrics/a.json"),
    ("matrix=MATRIX", "matrix={'model': 'ab'}", "a matrix is a dict of lists"),
    ("matrix=MATRIX", "matrix=MATRIX, variants={}", "has variants and a matrix"),
    ("matrix=MATRIX", "matrix={'model': [], 'seed': [1]}", "there are no variants"),
    ("matrix=MATRIX", "matrix={'model': [1, '1'], 'seed': [1]}", "two variants have the name model=1,seed=1"),
    ("matrix=MATRIX", "matrix={'model': ['a'], 'seed': ['x']}", "expected int, not 'x'"),
    ("matrix=MATRIX", "matrix={'model': ['a'], 'seed': [0], 'data': [1]}", "value of the variant, and a Dep"),
    ("matrix=MATRIX", "matrix={'model': [3], 'seed': [0]}", "`model` of the variant: expected str, not 3"),
    ("matrix=MATRIX", "matrx=MATRIX", "Did you mean `matrix`?"),
    ("each=MATRIX", "each='ab'", "each: 'ab' is neither a dict nor a list of dicts"),
    ("each=MATRIX", "each={'other': [1, 2]}", "each needs a path of its own for each"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_cannot_be_is_refused_with_its_line(matrix: Repo, old: str, new: str, said: str) -> None:
    matrix.replace("pipeline.py", old, new)
    told = matrix.pivot("status").expect(2).err
    assert said in told
    assert "pipeline.py:" in told
    assert "Traceback" not in told


LEARNING = """
import dataclasses
import pathlib
from typing import Annotated, Any
import pivot
from pivot import Out

def double(x):
    return x * 2

@dataclasses.dataclass
class Params:
    activation: Any = None

def train(params: Params) -> Annotated[str, Out("trained.txt")]:
    return shown(params.activation)

def tried(value) -> Annotated[str, Out("tried.txt")]:
    return shown(value)

def shown(value):
    return str(value(3)) if callable(value) else f"{type(value).__name__} {list(value)}"

pipeline = pivot.Pipeline("learning")
pipeline.register(train, params=Params(activation=VALUE))
pipeline.register(tried, variants={"one": {"value": VALUE}})
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("double", "lambda x: x * 3"),
        ("lambda x: x * 2", "lambda x: x * 3"),
        ("__import__('functools').partial(max, 4)", "__import__('functools').partial(max, 5)"),
        ("(1, 2)", "[1, 2]"),
        ("{1, 2}", "[1, 2]"),
        ("{1: 2}", "{'1': 2}"),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
    ],
)
def test_a_value_that_a_record_does_not_tell_in_full_counts_as_code(repo: Repo, before: str, after: str) -> None:
    repo.write("pipeline.py", LEARNING.replace("VALUE", before))
    assert sorted(ran(repo)) == ["train", "tried@one"]
    assert ran(repo) == []
    repo.write("pipeline.py", LEARNING.replace("VALUE", after))
    assert sorted(ran(repo)) == ["train", "tried@one"]


def test_an_edit_of_a_function_that_is_a_value_runs_the_stage(repo: Repo) -> None:
    repo.write("pipeline.py", LEARNING.replace("VALUE", "double"))
    assert sorted(ran(repo)) == ["train", "tried@one"]
    repo.write("pipeline.py", LEARNING.replace("VALUE", "double").replace("x * 2", "x * 4"))
    assert sorted(ran(repo)) == ["train", "tried@one"]
    assert (repo.read("trained.txt"), repo.read("tried.txt")) == ("12", "12")


def test_such_a_value_is_told_with_the_place_of_its_stage(repo: Repo) -> None:
    repo.write("pipeline.py", LEARNING.replace("VALUE", "(1, 2)"))
    ran(repo)
    repo.write("pipeline.py", LEARNING.replace("VALUE", "(1, 3)"))
    said = repo.pivot("status").expect(0).out
    assert "code changed: const:activation (pipeline.py:14); parameter changed" in said
