"""Stages run in processes of their own, and answer with outputs that are in the store."""

from __future__ import annotations

from pathlib import Path

from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.git.odb.backend import BLOB
from tests.support.workers import Bench


def test_a_stage_writes_its_output_and_stores_it(bench: Bench) -> None:
    bench.stage("return 'hello'")
    ending = bench.done()
    assert bench.read() == "hello"
    assert bench.stored(ending) == b"hello"
    assert ending.outs["out.txt"].mode == BLOB


def test_the_model_comes_from_the_server(bench: Bench) -> None:
    bench.stage("return ''")
    model = bench.model()
    assert isinstance(model, PipelineModel)
    assert [stage.name for stage in model.stages] == ["work"]


def test_prints_are_events_and_stand_in_the_log(bench: Bench) -> None:
    bench.stage("print('one'); print('two', file=sys.stderr); os.system('echo three'); return ''")
    ending = bench.done()
    assert bench.printed == ["one", "two", "three"]
    assert Path(ending.log).read_text() == "one\ntwo\nthree\n"


def test_an_import_that_raises_is_a_failure_with_the_users_frames(bench: Bench) -> None:
    bench.write("1 / 0")
    failure = bench.model()
    assert isinstance(failure, ImportFailure)
    assert "ZeroDivisionError" in failure.message
    assert "pivot/run" not in failure.message
