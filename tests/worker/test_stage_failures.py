"""A failed stage shows the user's own frames and inputs, and nothing of Pivot's."""

from __future__ import annotations

from pivot.pool.jobs import failure_text
from tests.support.workers import Bench


def test_the_traceback_has_the_users_frames_only_with_relative_paths(bench: Bench) -> None:
    (bench.root / "deep.py").write_text("def dig(n):\n    return 1 / n\n")
    bench.stage("return str(dig(0))", "from deep import dig")
    ending = bench.failed()
    assert ending.message == "ZeroDivisionError: division by zero"
    lines = ending.traceback.splitlines()
    files = [line.split('"')[1] for line in lines if line.lstrip().startswith("File")]
    assert files == ["pipeline.py", "deep.py"]
    assert lines[0] == "Traceback (most recent call last):"
    assert "    return 1 / n" in lines


def test_causes_and_groups_lose_pivots_frames_too(bench: Bench) -> None:
    bench.stage(
        """
        try:
            pivot.loaders.JSON().load(pathlib.Path("gone.json"))
        except Exception as error:
            raise ExceptionGroup("several", [error]) from error
        """
    )
    ending = bench.failed()
    assert "direct cause" in ending.traceback
    assert "gone.json" in ending.traceback
    assert "/pivot/" not in ending.traceback


def test_inputs_are_described_in_a_line_each(bench: Bench) -> None:
    (bench.root / "a.json").write_text("[" + ",".join(["1"] * 5000) + "]")
    (bench.root / "b.txt").write_text("text\nof two lines")
    bench.write(
        """
        @pipeline.register
        def work(
            numbers: Annotated[list, pivot.Dep("a.json", pivot.loaders.JSON())],
            words: Annotated[str, pivot.Dep("b.txt", pivot.loaders.Text())],
        ) -> Text:
            raise ValueError
        """
    )
    numbers, words = bench.failed().inputs
    assert numbers.startswith("numbers: list = [1, 1, 1, ")
    assert words == r"words: str = 'text\nof two lines'"
    assert len(numbers) < 170


def test_an_input_whose_repr_raises_is_described_all_the_same(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("")
    bench.write(
        """
        class Odd:
            def __repr__(self): raise SystemExit

        class OddLoader:
            def load(self, path): return Odd()

        @pipeline.register
        def work(odd: Annotated[Odd, pivot.Dep("a.txt", OddLoader())]) -> Text:
            raise ValueError
        """
    )
    assert bench.failed().inputs == ("odd: Odd = <its repr raised SystemExit>",)


def test_a_loader_that_raises_shows_its_own_frames(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("")
    bench.write(
        """
        class Broken:
            def load(self, path): raise RuntimeError("cannot read this")

        @pipeline.register
        def work(a: Annotated[str, pivot.Dep("a.txt", Broken())]) -> Text:
            return a
        """
    )
    ending = bench.failed()
    assert "a.txt" in ending.message
    assert "cannot read this" in ending.message + ending.traceback
    assert "/pivot/" not in ending.traceback


def test_a_missing_input_names_stage_path_and_line(bench: Bench) -> None:
    bench.write(
        """
        @pipeline.register
        def work(a: Annotated[str, pivot.Dep("gone.txt", pivot.loaders.Text())]) -> Text:
            return a
        """
    )
    ending = bench.failed()
    assert ending.kind == "declared"
    assert "gone.txt" in ending.message
    assert "pipeline.py:" in ending.message


def test_a_missing_output_names_stage_path_and_line(bench: Bench) -> None:
    bench.write(
        """
        @pipeline.register
        def work() -> Annotated[pathlib.Path, pivot.Out("gone.txt", pivot.loaders.PathOnly())]:
            return pathlib.Path("gone.txt")
        """
    )
    ending = bench.failed()
    assert ending.kind == "declared"
    assert "gone.txt" in ending.message
    assert "pipeline.py:" in ending.message


def test_an_output_that_the_store_refuses_is_a_failure_of_the_stage(bench: Bench) -> None:
    bench.write(
        """
        @pipeline.register
        def work() -> Annotated[pathlib.Path, pivot.Out("folder", pivot.loaders.PathOnly())]:
            os.makedirs("folder")
            os.mkfifo("folder/pipe")
            return pathlib.Path("folder")
        """
    )
    ending = bench.failed()
    assert ending.kind == "store"
    assert "folder" in ending.message


def test_the_tail_of_the_output_comes_with_the_failure(bench: Bench) -> None:
    bench.stage("for n in range(30): print(n)\nraise ValueError")
    assert bench.failed().tail == tuple(str(number) for number in range(10, 30))


def test_a_sentence_is_not_lost_beside_a_traceback(bench: Bench) -> None:
    (bench.root / "a.json").write_text("{")
    bench.write(
        """
        @pipeline.register
        def work(a: Annotated[dict, pivot.Dep("a.json", pivot.loaders.JSON())]) -> Text:
            return a
        """
    )
    ending = bench.failed()
    assert failure_text(ending).splitlines()[0] == ending.message.splitlines()[0]


def test_what_the_function_raised_is_shown_once(bench: Bench) -> None:
    bench.stage("raise ValueError('no good')")
    assert failure_text(bench.failed()).count("no good") == 2  # the line of code, and the last line
