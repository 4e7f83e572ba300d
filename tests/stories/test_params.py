"""Parameters from outside the code: the params file, `--set`, environment variables."""

from __future__ import annotations

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

PIPELINE = """
from typing import Annotated
import pivot
from pivot import Out

class Optimizer(pivot.StageParams):
    kind: str = "adam"
    rate: float = 0.1

class TrainParams(pivot.StageParams):
    lr: float = 0.1
    layers: list[int] = [8]
    name: str = "plain"
    optimizer: Optimizer = Optimizer()

class EvalParams(pivot.StageParams):
    top: int = 1

def train(params: TrainParams) -> Annotated[dict, pivot.Out("model.json")]:
    optimizer = params.optimizer
    return {"lr": params.lr, "layers": params.layers, "name": params.name, "rate": optimizer.rate, "of": optimizer.kind}

def evaluate(model: Annotated[dict, pivot.Dep("model.json")], params: EvalParams) -> Annotated[int, Out("n.json")]:
    return params.top

pipeline = pivot.Pipeline("params")
pipeline.register(train)
pipeline.register(evaluate)
"""


@pytest.fixture
def written(repo: Repo) -> Repo:
    """Nothing has run yet."""
    repo.write("pipeline.py", PIPELINE)
    repo.commit("the pipeline")
    return repo


@pytest.fixture
def trained(written: Repo) -> Repo:
    """Everything has run with the values of the code."""
    assert ran(written) == ["train", "evaluate"]
    return written


def model(repo: Repo) -> str:
    """The values that the run of `train` had, in short."""
    return "".join(repo.read("model.json").split())


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("params.yaml", "train:\n  lr: 1e-3\n  optimizer: {rate: 2}\n"),
        ("params.toml", "[train]\nlr = 1e-3\noptimizer.rate = 2\n"),
        ("params.yaml", "train:\n  lr: 1e-3\n  optimizer: &fast\n    rate: 2\nevaluate:\n"),
    ],
)
def test_the_params_file_replaces_single_values(written: Repo, file: str, text: str) -> None:
    written.write(file, text)
    assert endings(written, "train") == {"train": "ran"}
    assert model(written) == '{"lr":0.001,"layers":[8],"name":"plain","rate":2.0,"of":"adam"}'


def test_only_the_stage_whose_own_values_changed_runs(trained: Repo) -> None:
    trained.write("params.yaml", "evaluate: {top: 5}\ntrain: {lr: 0.1}\n")
    assert endings(trained) == {"train": "unchanged", "evaluate": "ran"}
    assert trained.read("n.json").strip() == "5"


@pytest.mark.parametrize(
    ("in_code", "edits", "ending"),
    [
        ("", {"lr: float = 0.1": "lr: float = 0.7", 'kind: str = "adam"': 'kind: str = "sgd"'}, "unchanged"),
        ("    type(params)()\n", {"lr: float = 0.1": "lr: float = 0.7"}, "ran"),
        ("    TrainParams()\n", {"lr: float = 0.1": "lr: float = 0.7"}, "ran"),
    ],
)
def test_a_default_that_is_overridden_is_no_code(
    written: Repo, in_code: str, edits: dict[str, str], ending: str
) -> None:
    written.write("params.yaml", "train: {lr: 0.5, optimizer: {kind: lamb}}\n")
    written.replace("pipeline.py", "    optimizer = params", f"{in_code}    optimizer = params")
    ran(written, "train")
    for old, new in edits.items():
        written.replace("pipeline.py", old, new)
    assert endings(written, "train") == {"train": ending}


def test_taking_the_params_file_away_brings_the_old_result_back(trained: Repo) -> None:
    trained.write("params.yaml", "evaluate: {top: 5}\n")
    ran(trained)
    (trained.path / "params.yaml").unlink()
    assert endings(trained) == {"train": "unchanged", "evaluate": "restored"}


def test_nothing_to_do_is_not_remembered_over_a_change_of_the_params_file(trained: Repo) -> None:
    trained.pivot("repro").expect(0)
    trained.write("params.yaml", "evaluate: {top: 5}\n")
    assert "evaluate" in trained.pivot("status").expect(0).out


def test_set_holds_for_one_command(trained: Repo) -> None:
    assert endings(trained, "--set", "evaluate.top=7") == {"train": "unchanged", "evaluate": "ran"}
    assert trained.read("n.json").strip() == "7"
    assert endings(trained) == {"train": "unchanged", "evaluate": "restored"}
    assert trained.read("n.json").strip() == "1"


def test_set_says_nothing_about_the_commit(trained: Repo) -> None:
    before = trained.git("notes", "--ref=pivot", "show")
    ran(trained, "--set", "evaluate.top=7")
    assert trained.git("notes", "--ref=pivot", "show") == before


@pytest.mark.parametrize(
    ("option", "held"),
    [
        ("train.lr=2", '"lr":2.0'),
        ("train.layers=[1, 2]", '"layers":[1,2]'),
        ("train.name=5", '"name":"5"'),
        ("train.name=a=b", '"name":"a=b"'),
        ("train.optimizer.rate=3", '"rate":3.0,"of":"adam"'),
    ],
)
def test_set_takes_what_the_type_takes(written: Repo, option: str, held: str) -> None:
    written.pivot("repro", "train", "--set", option).expect(0)
    assert held in model(written)


def test_set_is_stronger_than_the_params_file(written: Repo) -> None:
    written.write("params.toml", "train.lr = 5\ntrain.name = 'file'\n")
    written.pivot("repro", "--set", "train.lr=6").expect(0)
    assert '"lr":6.0' in model(written)
    assert '"name":"file"' in model(written)


def test_status_takes_set_too(trained: Repo) -> None:
    said = trained.pivot("status", "--explain", "train", "--set", "train.lr=6").expect(0).out
    assert "lr" in said
    assert "6.0" in said
    assert "up to date" in trained.pivot("status").expect(0).out


def test_variables_count_only_when_a_setting_says_so(trained: Repo) -> None:
    variables = {"PIVOT_PARAMS_TRAIN__OPTIMIZER__RATE": "4"}
    assert "0 ran" in trained.pivot("repro", env=variables).expect(0).out
    trained.git("config", "pivot.envParams", "true")
    trained.pivot("repro", env=variables).expect(0)
    assert '"rate":4.0' in model(trained)
    assert "1 restored" in trained.pivot("repro").expect(0).out


# (params.yaml, where, what, hint)
WRONG = [
    ("train:\n  lr: 1\n  laeyrs: [1]\n", "params.yaml:3", "TrainParams has no parameter `laeyrs`", "`layers`"),
    ("train:\n  lr: fast\n", "params.yaml:2", "expected float, not 'fast'", "Change the value"),
    ("train:\n  optimizer:\n    rat: 1\n", "params.yaml:3", "Optimizer has no parameter `rat`", "`rate`"),
    ("trian:\n  lr: 1\n", "params.yaml:2", "names the stage `trian`", "`train`"),
    ("train: 3\n", "params.yaml:1", "`train` is 3, not a table", "Keys at the top are stages"),
    ("train:\n  lr: 1\n  lr: 2\n", "params.yaml:3", "the key `lr` stands twice", "Mend"),
    ("train:\n  lr: [1\n", "params.yaml:3", "cannot be read", "Mend"),
]


@pytest.mark.parametrize(("text", "where", "what", "hint"), WRONG)
def test_a_wrong_params_file_names_its_line(written: Repo, text: str, where: str, what: str, hint: str) -> None:
    written.write("params.yaml", text.encode())
    said = written.pivot("repro").expect(2).err
    assert (where in said, what in said, hint in said) == (True, True, True), said
    assert "Traceback" not in said


TOML_WRONG = [
    ("[train]\nlr = 'x'\n", "params.toml:2"),
    ("[evaluate]\n[train.optimizer]\nkind = 'a'\nrate = 'x'\n", "params.toml:4"),
    ("train = {lr = 'x'}\n", "params.toml:1"),
    ("train = \n", "params.toml:1"),
]


@pytest.mark.parametrize(("text", "where"), TOML_WRONG)
def test_a_wrong_toml_file_names_its_line(written: Repo, text: str, where: str) -> None:
    written.write("params.toml", text)
    assert where in written.pivot("repro").expect(2).err


@pytest.mark.parametrize(
    ("option", "what", "hint"),
    [
        ("train.lrr=1", "--set train.lrr=1: TrainParams has no parameter `lrr`", "Did you mean `lr`?"),
        (
            "train.lr=fast",
            "--set train.lr=fast: the parameter `lr` of TrainParams: expected float, not 'fast'",
            "Change",
        ),
        ("trian.lr=1", "--set trian.lr=1: there is no stage `trian`", "Did you mean `train`?"),
        ("lr=1", "`--set lr=1` names no parameter", "--set STAGE.NAME=VALUE"),
    ],
)
def test_a_wrong_option_names_the_closest(written: Repo, option: str, what: str, hint: str) -> None:
    said = written.pivot("repro", "--set", option).expect(2).err
    assert (what in said, hint in said) == (True, True), said


def test_a_wrong_variable_is_named(written: Repo) -> None:
    written.git("config", "pivot.envParams", "true")
    said = written.pivot("status", env={"PIVOT_PARAMS_TRIAN__LR": "1"}).expect(2).err
    assert "$PIVOT_PARAMS_TRIAN__LR=1: there is no stage `TRIAN`" in said
    assert "Did you mean `train`?" in said


def test_two_params_files_are_one_too_many(written: Repo) -> None:
    written.write("params.yaml", "")
    written.write("params.toml", "")
    assert "Keep one of the two" in written.pivot("status").expect(2).err


@pytest.mark.parametrize("text", ["prepare: {split: 0.2}\nfeaturize: {ngrams: 2}\n", "seed: 3\n"])
def test_the_params_file_of_another_tool_is_left_alone_and_named(written: Repo, text: str) -> None:
    written.write("params.yaml", text)
    for verb in ("repro", "status"):
        assert "warning: nothing is taken from params.yaml" in written.pivot(verb).expect(0).err


def test_an_uncommitted_params_file_leaves_the_commit_unknown(written: Repo) -> None:
    written.write("params.yaml", "evaluate: {top: 5}\n")
    ran(written)
    assert written.git("notes", "--ref=pivot", "show").count(" unknown ") == 2
    written.commit("the params")
    assert endings(written) == {"train": "unchanged", "evaluate": "unchanged"}
    assert "unknown" not in written.git("notes", "--ref=pivot", "show")


def test_the_running_process_has_the_values_of_the_plan_however_it_starts(written: Repo) -> None:
    written.git("config", "pivot.start", "spawn")
    written.write("params.yaml", "train: {lr: 3}\n")
    written.pivot("repro", "--set", "train.name=spawned").expect(0)
    assert '"lr":3.0' in model(written)
    assert '"name":"spawned"' in model(written)


def test_show_lists_the_values_that_a_run_would_have(written: Repo) -> None:
    said = written.pivot("params", "show", "train", "--set", "train.optimizer.rate=2").expect(0).out
    assert "  optimizer.rate  2.0" in said
    assert "evaluate" not in said
    shown = written.pivot("params", "show", "--json").expect(0).json()
    assert shown == {
        "version": 1,
        "stages": {
            "train": {"lr": 0.1, "layers": [8], "name": "plain", "optimizer": {"kind": "adam", "rate": 0.1}},
            "evaluate": {"top": 1},
        },
    }


def test_diff_compares_with_the_last_run_and_with_a_commit(trained: Repo) -> None:
    assert "No parameter differs." in trained.pivot("params", "diff").expect(0).out
    trained.write("params.yaml", "evaluate: {top: 5}\n")
    assert trained.pivot("params", "diff").expect(0).out == "evaluate.top: 1 -> 5\n"
    trained.commit("top 5")
    ran(trained)
    assert "No parameter differs." in trained.pivot("params", "diff").expect(0).out
    assert trained.pivot("params", "diff", "HEAD~").expect(0).out == "evaluate.top: 1 -> 5\n"
    shown = trained.pivot("params", "diff", "HEAD~", "--json").expect(0).json()
    assert shown == {"version": 1, "params": [{"stage": "evaluate", "name": "top", "old": 1, "new": 5}]}


def test_diff_says_when_a_revision_is_unknown(written: Repo) -> None:
    assert "nowhere names no commit" in written.pivot("params", "diff", "nowhere").expect(2).err
    assert "no result of HEAD is noted here" in written.pivot("params", "diff", "HEAD").expect(2).err
