"""Each wrong declaration is refused with the line it stands on (`# here`) and the mend."""

from __future__ import annotations

import sys

import pytest

from pivot.errors import PipelineError
from tests.pipeline.project import Project

# (what is wrong, source, part of the message, part of the hint)
CATALOGUE = [
    (
        "a parameter without an annotation",
        """
        def f(raw) -> None: ...  # here
        pipeline.register(f)
        """,
        "stage `f`: parameter `raw` has no annotation",
        'raw: Annotated[dict, pivot.Dep("path")]',
    ),
    (
        "a parameter without an annotation, in a list of lines",
        """
        def f(
            one: Annotated[dict, Dep("one.json")],
            raw,  # here
        ) -> None: ...
        pipeline.register(f)
        """,
        "parameter `raw` has no annotation",
        "or a StageParams class, or give a default",
    ),
    (
        "a parameter whose annotation has no artifact",
        """
        def f(raw: dict) -> None: ...  # here
        pipeline.register(f)
        """,
        "parameter `raw` has no Dep in its annotation",
        "pivot.Dep",
    ),
    (
        "an artifact as annotation",
        """
        def f(raw: Dep("data.json")) -> None: ...  # here
        pipeline.register(f)
        """,
        "Dep stands where a type is expected",
        "Annotated[dict, Dep(...)]",
    ),
    (
        "an artifact as default",
        """
        def f(raw: dict = Dep("data.json")) -> None: ...  # here
        pipeline.register(f)
        """,
        "Dep is the default of parameter `raw`",
        "raw: Annotated[dict, Dep(...)]",
    ),
    (
        "an artifact that is not called",
        """
        def f(raw: Annotated[dict, PlaceholderDep]) -> None: ...  # here
        pipeline.register(f)
        """,
        "PlaceholderDep is not called",
        "PlaceholderDep(",
    ),
    (
        "an artifact on one side of a union",
        """
        def f(raw: Annotated[dict, Dep("data.json")] | None) -> None: ...  # here
        pipeline.register(f)
        """,
        "on one side of a union",
        "Annotated[X | None, ...]",
    ),
    (
        "two artifacts on one parameter",
        """
        def f(raw: Annotated[dict, Dep("a.json"), Dep("b.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "takes one artifact",
        "Keep one",
    ),
    (
        "an output on a parameter",
        """
        def f(raw: Annotated[dict, Out("a.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "parameter `raw` is annotated with Out",
        "return type",
    ),
    (
        "a dep on the return type",
        """
        def f() -> Annotated[dict, Dep("a.json")]: ...  # here
        pipeline.register(f)
        """,
        "`return` is annotated with Dep",
        "Out",
    ),
    (
        "two stages that write one path",
        """
        def f() -> Annotated[dict, Out("a.json")]: ...
        def g() -> Annotated[dict, Out("./x/../a.json")]: ...  # here
        pipeline.register(f)
        pipeline.register(g)
        """,
        "stages `f` and `g` both write a.json",
        "declared at pipeline.py:7",
    ),
    (
        "one stage that writes a path twice",
        """
        class Outs(TypedDict):
            one: Annotated[dict, Out("a.json")]
            two: Annotated[dict, Out("a.json")]  # here
        def f() -> Outs: ...
        pipeline.register(f)
        """,
        "stage `f` declares a.json twice",
        "Give one another path",
    ),
    (
        "a file inside another stage's directory",
        """
        def f() -> Annotated[dict, DirectoryOut("out/", loaders.JSON())]: ...
        def g() -> Annotated[dict, Out("out/deep/a.json")]: ...  # here
        pipeline.register(f)
        pipeline.register(g)
        """,
        "outputs overlap: out/deep/a.json of stage `g` and out of stage `f`",
        "declared at pipeline.py:7",
    ),
    (
        "a directory around another stage's file",
        """
        def f() -> Annotated[dict, Out("out/deep/a.json")]: ...
        def g() -> Annotated[pathlib.Path, Out("out/")]: ...  # here
        pipeline.register(f)
        pipeline.register(g)
        """,
        "outputs overlap: out of stage `g` and out/deep/a.json of stage `f`",
        "Give one another path",
    ),
    (
        "a dep that is the stage's own output",
        """
        def f(raw: Annotated[dict, Dep("a.json")]) -> Annotated[dict, Out("a.json")]: ...  # here
        pipeline.register(f)
        """,
        "stage `f` reads a.json and writes a.json",
        "IncrementalOut",
    ),
    (
        "a dep that contains the stage's own output",
        """
        def f(
            raw: Annotated[pathlib.Path, Dep("data/")],  # here
        ) -> Annotated[dict, Out("data/a.json")]: ...
        pipeline.register(f)
        """,
        "stage `f` reads data and writes data/a.json",
        "declared at pipeline.py:9",
    ),
    (
        "an absolute dep",
        """
        def f(raw: Annotated[dict, Dep("/data/a.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "/data/a.json is not relative",
        "ExternalDep",
    ),
    (
        "a dep in the home folder",
        """
        def f(raw: Annotated[dict, Dep("~/a.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "~/a.json is not relative",
        "ExternalDep",
    ),
    (
        "a URL as dep",
        """
        def f(raw: Annotated[dict, Dep("https://host/a.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "https://host/a.json is not relative",
        "ExternalDep",
    ),
    (
        "an output outside the repository",
        """
        def f() -> Annotated[dict, Out("../a.json")]: ...  # here
        pipeline.register(f)
        """,
        "../a.json is outside the repository",
        "ExternalDep",
    ),
    (
        "the pipeline's folder itself",
        """
        def f(raw: Annotated[pathlib.Path, Dep("./")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "the pipeline's folder itself",
        "inside it",
    ),
    (
        "a path in Git's folder",
        """
        def f(raw: Annotated[pathlib.Path, Dep(".git/config")]) -> None: ...  # here
        pipeline.register(f)
        """,
        ".git/config is inside Git's own folder",
        "another path",
    ),
    (
        "a relative ExternalDep",
        """
        def f(raw: Annotated[dict, ExternalDep("a.json")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "ExternalDep takes an absolute path or an http(s) URL, not a.json",
        "Dep",
    ),
    (
        "no path",
        """
        def f(raw: Annotated[dict, Dep([])]) -> None: ...  # here
        pipeline.register(f)
        """,
        "Dep takes a path",
        'Dep("folder/file.json")',
    ),
    (
        "a number as path",
        """
        def f(raw: Annotated[dict, Dep(3)]) -> None: ...  # here
        pipeline.register(f)
        """,
        "not 3",
        "Dep(",
    ),
    (
        "an extension without a loader",
        """
        def f(raw: Annotated[dict, Dep("a.xyz")]) -> None: ...  # here
        pipeline.register(f)
        """,
        "how a.xyz is read",
        'Dep("a.xyz", loaders.Bytes())',
    ),
    (
        "an object that is no loader",
        """
        def f(raw: Annotated[dict, Dep("a.json", 3)]) -> None: ...  # here
        pipeline.register(f)
        """,
        "3 is no loader for a.json",
        "load(path)",
    ),
    (
        "a loader's class",
        """
        def f(raw: Annotated[dict, Dep("a.json", loaders.JSON)]) -> None: ...  # here
        pipeline.register(f)
        """,
        "the loader of a.json is a class",
        "JSON()",
    ),
    (
        "a loader that only reads, on an output",
        """
        def f() -> Annotated[dict, Out("a.toml")]: ...  # here
        pipeline.register(f)
        """,
        "TOML() cannot write a.toml",
        "PathOnly",
    ),
    (
        "a loader that only writes, on a dep",
        """
        def f(raw: Annotated[Any, Dep("a.png", loaders.Matplotlib())]) -> None: ...  # here
        pipeline.register(f)
        """,
        "Matplotlib() cannot read a.png",
        "loader that reads",
    ),
    (
        "a directory as Out with a loader of one file",
        """
        def f() -> Annotated[dict, Out("out/", loaders.JSON())]: ...  # here
        pipeline.register(f)
        """,
        "out/ is a directory",
        'DirectoryOut("out/", JSON())',
    ),
    (
        "a DirectoryOut without a loader that writes",
        """
        def f() -> Annotated[dict, DirectoryOut("out/")]: ...  # here
        pipeline.register(f)
        """,
        "DirectoryOut writes out/ file by file",
        'Out("out/", loaders.PathOnly())',
    ),
    (
        "a TypedDict with a key that has no output",
        """
        class Outs(TypedDict):
            one: Annotated[dict, Out("a.json")]
            two: dict  # here
        def f() -> Outs: ...
        pipeline.register(f)
        """,
        "the return value `two` has no Out",
        "two: Annotated[dict, pivot.Out",
    ),
    (
        "a key that may be left out and an output that may not",
        """
        class Outs(TypedDict):
            one: NotRequired[Annotated[dict, Out("a.json")]]  # here
        def f() -> Outs: ...
        pipeline.register(f)
        """,
        "the key `one` may be left out",
        "optional=True",
    ),
    (
        "a return type without outputs",
        """
        def f() -> dict: ...  # here
        pipeline.register(f)
        """,
        "the return type, dict, is neither annotated with an Out nor a TypedDict",
        "TypedDict",
    ),
    (
        "no return type",
        """
        def f(): ...  # here
        pipeline.register(f)
        """,
        "does not say what it returns",
        "-> None",
    ),
    (
        "no return type, where the next function has one",
        """
        def f():  # here
            ...
        def g() -> None: ...
        pipeline.register(f)
        """,
        "stage `f` does not say what it returns",
        "-> None",
    ),
    (
        "a name registered twice",
        """
        def f() -> None: ...
        pipeline.register(f)
        pipeline.register(f)  # here
        """,
        "pipeline `p` has a stage `f` already",
        "registered at pipeline.py:8",
    ),
    (
        "a nested function",
        """
        def make():
            def f() -> None: ...  # here
            return f
        pipeline.register(make())
        """,
        "make.<locals>.f is defined inside another function",
        "module level",
    ),
    (
        "a lambda",
        """
        pipeline.register(lambda: None)  # here
        """,
        "a lambda cannot be a stage",
        "def",
    ),
    (
        "a return type that only looks like several outputs",
        """
        def f() -> tuple[Annotated[dict, Out("a.json")], Annotated[dict, Out("b.json")]]: ...  # here
        pipeline.register(f)
        """,
        "the return type, tuple, is neither",
        "a TypedDict whose keys",
    ),
    (
        "a decorator without functools.wraps",
        """
        def twice(function):
            def inner(*args): ...  # here
            return inner
        @pipeline.register
        @twice
        def f() -> None: ...
        """,
        "twice.<locals>.inner is defined inside another function",
        "functools.wraps",
    ),
    (
        "a method",
        """
        class Model:
            def fit(self) -> None: ...
        pipeline.register(Model().fit)  # here
        """,
        "a stage is a function, not a method",
        "def",
    ),
    (
        "overrides that are no dict",
        """
        def f() -> Annotated[dict, Out("a.json")]: ...
        pipeline.register(f, out_path_overrides="b.json")  # here
        """,
        "out_path_overrides is a dict of paths, not 'b.json'",
        "the name of a single output is `return`",
    ),
    (
        "something that is no function",
        """
        pipeline.register(3)  # here
        """,
        "a stage is a function, not 3",
        "def",
    ),
    (
        "an async function",
        """
        async def f() -> None: ...  # here
        pipeline.register(f)
        """,
        "stage `f` is async or a generator",
        "asyncio.run",
    ),
    (
        "a generator",
        """
        def f() -> Annotated[list, Out("a.json")]:  # here
            yield 1
        pipeline.register(f)
        """,
        "stage `f` is async or a generator",
        "list(",
    ),
    (
        "a name with a slash",
        """
        def f() -> None: ...
        pipeline.register(f, name="a/b")  # here
        """,
        "'a/b' is not a name for a stage",
        "letters",
    ),
    (
        "a pipeline's name with a space",
        """
        pivot.Pipeline("my pipeline")  # here
        """,
        "'my pipeline' is not a name for a pipeline",
        "letters",
    ),
    (
        "a placeholder without a path",
        """
        def f(raw: Annotated[dict, PlaceholderDep(loaders.JSON())]) -> None: ...  # here
        pipeline.register(f)
        """,
        "the path of parameter `raw` is given where the stage is registered",
        'dep_path_overrides={"raw": "path"}',
    ),
    (
        "an override of a dep that is not there",
        """
        def f(raw: Annotated[dict, Dep("a.json")]) -> None: ...
        pipeline.register(f, dep_path_overrides={"rwa": "b.json"})  # here
        """,
        "dep_path_overrides names `rwa`",
        "Did you mean `raw`?",
    ),
    (
        "an override of an output that is not there",
        """
        def f() -> Annotated[dict, Out("a.json")]: ...
        pipeline.register(f, out_path_overrides={"a": "b.json"})  # here
        """,
        "out_path_overrides names `a`",
        "return",
    ),
    (
        "an IncrementalOut that is taken and not returned",
        """
        def f(
            old: Annotated[dict, IncrementalOut("a.json")],  # here
        ) -> Annotated[dict, IncrementalOut("b.json")]: ...
        pipeline.register(f)
        """,
        "takes a.json as IncrementalOut and does not return it",
        "the same path",
    ),
    (
        "an IncrementalOut whose loader has no empty value",
        """
        def f(
            old: Annotated[Any, IncrementalOut("a.pkl")],  # here
        ) -> Annotated[Any, IncrementalOut("a.pkl")]: ...
        pipeline.register(f)
        """,
        "Pickle() does not say which value `old` has before the first run",
        "empty()",
    ),
    (
        "a parameter that can only be given by position",
        """
        def f(raw: Annotated[dict, Dep("a.json")], /) -> None: ...  # here
        pipeline.register(f)
        """,
        "parameter `raw` can only be given by position",
        "`/`",
    ),
    (
        "an annotation with an unknown name",
        """
        def f(
            one: Annotated[dict, Dep("one.json")],
            raw: "Annotated[Missing, Dep('a.json')]",  # here
        ) -> None: ...
        pipeline.register(f)
        """,
        "name 'Missing' is not defined",
        "TYPE_CHECKING",
    ),
    (
        "frozen that is no bool",
        """
        def f() -> None: ...
        pipeline.register(f, frozen="no")  # here
        """,
        "frozen cannot be 'no'",
        "frozen=True",
    ),
    (
        "always that is no bool",
        """
        def f() -> None: ...
        pipeline.register(f, always=1)  # here
        """,
        "always cannot be 1",
        "always=True",
    ),
    (
        "frozen and always",
        """
        def f() -> None: ...
        pipeline.register(f, frozen=True, always=True)  # here
        """,
        "cannot be frozen and always",
        "Keep one",
    ),
    (
        "params that no parameter takes",
        """
        def f() -> None: ...
        pipeline.register(f, params={"lr": 1})  # here
        """,
        "stage `f` is given params, and no parameter takes them",
        "TrainParams",
    ),
    (
        "params for two parameters",
        """
        class P(pivot.StageParams):
            lr: float = 0.1
        def f(
            one: P,
            two: P,  # here
        ) -> None: ...
        pipeline.register(f)
        """,
        "stage `f` takes params twice, for `one` and for `two`",
        "one class",
    ),
    (
        "a key without an output, in a TypedDict that has no lines of its own",
        """
        Outs = TypedDict("Outs", {"one": dict})
        def f() -> Outs: ...  # here
        pipeline.register(f)
        """,
        "the return value `one` has no Out",
        "one: Annotated",
    ),
    (
        "params of another class",
        """
        class P(pivot.StageParams):
            lr: float = 0.1
        def f(params: P) -> None: ...
        pipeline.register(f, params=3)  # here
        """,
        "stage `f` takes P for `params`, not int",
        "params=P(...)",
    ),
    (
        "params with an unknown name",
        """
        class P(pivot.StageParams):
            rate: float = 0.1
        def f(params: P) -> None: ...
        pipeline.register(f, params={"rtae": 1})  # here
        """,
        "P has no parameter `rtae`",
        "Did you mean `rate`?",
    ),
    (
        "params without a value",
        """
        class P(pivot.StageParams):
            rate: float
        def f(params: P) -> None: ...
        pipeline.register(f)  # here
        """,
        "P lacks a value for: rate",
        "default in the class",
    ),
]


@pytest.mark.parametrize(("source", "what", "hint"), [row[1:] for row in CATALOGUE], ids=[row[0] for row in CATALOGUE])
def test_a_wrong_declaration_is_refused_with_line_and_mend(project: Project, source: str, what: str, hint: str) -> None:
    error = project.refused(source)
    assert isinstance(error, PipelineError)
    assert what in error.what
    assert error.where == project.marked()
    assert error.hint
    assert hint in error.hint


def test_a_failed_registration_leaves_no_stage_behind(project: Project) -> None:
    stages = project.stages(
        """
        def f() -> Annotated[dict, Out("a.json")]: ...
        def g() -> Annotated[dict, Out("a.json")]: ...
        pipeline.register(f)
        try:
            pipeline.register(g)
        except pivot.pipeline.registry.PipelineError:
            pass
        """
    )
    assert list(stages) == ["f"]


def test_postponed_annotations_are_refused_with_the_same_lines(project: Project) -> None:
    head = "from __future__ import annotations\n"
    source = """
    import pivot
    from typing import Annotated
    pipeline = pivot.Pipeline("p")
    def f(
        raw: Annotated[dict, pivot.Dep(3)],  # here
    ) -> None: ...
    pipeline.register(f)
    """
    error = project.refused(source, head=head)
    assert "not 3" in error.what
    assert error.where == project.marked()


def test_a_key_of_an_extended_typed_dict_is_placed_as_near_as_python_tells(project: Project) -> None:
    error = project.refused(
        """
        class One(TypedDict):
            one: dict
        class Two(One):
            two: Annotated[dict, Out("two.json")]
        def f() -> Two: ...
        pipeline.register(f)
        """
    )
    # Before Python 3.12 a TypedDict does not know what it extends.
    assert error.where == ("pipeline.py:8" if sys.version_info >= (3, 12) else "pipeline.py:9")
