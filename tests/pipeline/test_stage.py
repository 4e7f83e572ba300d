"""A stage from its declaration to its spec, its arguments and its outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pivot.errors import InputError
from pivot.pipeline.spec import Location
from tests.pipeline.project import Project
from tests.support import examples

FRONT_PAGE = examples.FRONT_PAGE.removeprefix("\n")
DATA = {"records": [{"name": "a", "value": 1}, {"name": "b", "value": 3}, {"name": "c", "value": None}]}


def test_the_front_page_example_registers_and_runs_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("data.json", json.dumps(DATA))
    monkeypatch.chdir(project.folder)
    for stage in project.stages("", head=FRONT_PAGE).values():
        stage.save_outputs(stage.function(**stage.load_inputs(project.folder)), project.folder)
    assert json.loads(project.read("summary.json")) == {"count": 2, "mean": 2.0}


def test_the_spec_names_paths_lines_and_loaders_of_the_repository(project: Project) -> None:
    stage = project.stages("", file="work/pipeline.py", head=FRONT_PAGE)["summarize"]
    spec = stage.to_spec(project.folder, "work/pipeline.py", "work/summarize")
    assert (spec.name, spec.pipeline, spec.root, spec.function) == (
        "work/summarize", "my_pipeline", "work", "summarize",
    )  # fmt: skip
    assert spec.where == Location("work/pipeline.py", 20)
    assert (spec.dep_paths(), spec.out_paths()) == (["work/clean.json"], ["work/summary.json"])
    assert (spec.deps[0].loader, spec.deps[0].where) == ("JSON()", Location("work/pipeline.py", 21))
    assert (spec.outs[0].key, spec.outs[0].where) == ("summary", Location("work/pipeline.py", 18))


def test_a_helper_in_the_pipeline_file_is_called_like_any_function(project: Project) -> None:
    source = """
    def normalize(values):
        return [value / max(values) for value in values]
    def process(raw: Annotated[list, Dep("raw.json")]) -> Annotated[list, Out("done.json")]:
        return normalize(raw)
    pipeline.register(process)
    """
    project.write("raw.json", "[1, 2]")
    assert project.run(source) == [0.5, 1.0]
    assert json.loads(project.read("done.json")) == [0.5, 1.0]


def test_register_returns_the_function_itself(project: Project) -> None:
    module = project.module(
        """
        def f() -> None: ...
        same = pipeline.register(f) is f
        @pipeline.register
        def g() -> None: ...
        @pipeline.register(name="other", always=True)
        def h() -> None: ...
        plain = type(g).__name__ == type(h).__name__ == "function"
        """
    )
    assert module.same
    assert module.plain
    assert [(stage.name, stage.always) for stage in module.pipeline.stages] == [
        ("f", False), ("g", False), ("other", True),
    ]  # fmt: skip


@pytest.mark.parametrize(("given", "value"), [("['a.json', 'b.json']", [1, 2]), ("('a.json', 'b.json')", (1, 2))])
def test_a_list_or_tuple_of_paths_gives_a_list_or_tuple(project: Project, given: str, value: object) -> None:
    project.write("a.json", "1")
    project.write("b.json", "2")
    stage = project.stage(f"def f(raw: Annotated[Any, Dep({given})]) -> None: ...\npipeline.register(f)")
    assert stage.load_inputs(project.folder) == {"raw": value}
    assert stage.to_spec(project.folder, "pipeline.py", "f").deps[0].shape == type(value).__name__


def test_a_list_of_outputs_takes_a_value_for_each_path(project: Project) -> None:
    project.run(
        """
        def f() -> Annotated[list, Out(["a.json", "b.txt"])]:
            return [{"a": 1}, "text"]
        pipeline.register(f)
        """
    )
    assert (json.loads(project.read("a.json")), project.read("b.txt")) == ({"a": 1}, "text")


def test_a_placeholder_takes_its_path_from_the_registration(project: Project) -> None:
    project.write("b.json", "2")
    stage = project.stage(
        """
        def f(raw: Annotated[int, PlaceholderDep(loaders.JSON())]) -> None: ...
        pipeline.register(f, dep_path_overrides={"raw": "b.json"})
        """
    )
    assert stage.load_inputs(project.folder) == {"raw": 2}


def test_one_function_may_be_two_stages_with_other_paths(project: Project) -> None:
    stages = project.stages(
        """
        def f(raw: Annotated[int, Dep("a.json")]) -> Annotated[int, Metric("x.json", cache=False, keep=True)]: ...
        pipeline.register(f)
        pipeline.register(f, name="g", dep_path_overrides={"raw": "b.json"}, out_path_overrides={"return": "y.json"})
        """
    )
    spec = stages["g"].to_spec(project.folder, "pipeline.py", "g")
    assert (spec.dep_paths(), spec.out_paths()) == (["b.json"], ["y.json"])
    assert (spec.outs[0].kind, spec.outs[0].flags) == ("metric", ("keep", "no-cache"))


def test_a_directory_dep_with_a_loader_gives_a_dict_by_file(project: Project) -> None:
    project.write("in/b.json", "2")
    project.write("in/deep/a.json", "1")
    stage = project.stage('def f(raw: Annotated[dict, Dep("in/", loaders.JSON())]) -> None: ...\npipeline.register(f)')
    assert stage.load_inputs(project.folder) == {"raw": {"b.json": 2, "deep/a.json": 1}}


def test_a_path_value_is_relative_where_the_stage_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("in/b.json", "2")
    stage = project.stage('def f(raw: Annotated[pathlib.Path, Dep("in/")]) -> None: ...\npipeline.register(f)')
    assert stage.load_inputs(project.folder) == {"raw": project.folder / "in"}
    monkeypatch.chdir(project.folder)
    assert stage.load_inputs(project.folder) == {"raw": Path("in")}


def test_an_external_dep_is_read_where_it_is(project: Project, tmp_path: Path) -> None:
    (tmp_path / "raw.json").write_text("5")
    source = f'def f(raw: Annotated[int, ExternalDep("{tmp_path}/raw.json")]) -> None: ...\npipeline.register(f)'
    stage = project.stage(source)
    assert stage.load_inputs(project.folder) == {"raw": 5}
    dep = stage.to_spec(project.folder, "pipeline.py", "f").deps[0]
    assert (dep.kind, dep.paths) == ("external", (f"{tmp_path}/raw.json",))


def test_an_incremental_output_starts_empty_and_then_grows(project: Project) -> None:
    source = """
    def f(old: Annotated[list, IncrementalOut("a.json")]) -> Annotated[list, IncrementalOut("a.json")]:
        return [*old, len(old)]
    pipeline.register(f)
    """
    assert [project.run(source) for _ in range(3)] == [[0], [0, 1], [0, 1, 2]]
    spec = project.spec(source)
    assert (spec.deps[0].kind, spec.outs[0].kind, spec.dep_paths()) == ("incremental", "incremental", [])


def test_a_custom_loader_says_what_is_empty(project: Project) -> None:
    source = """
    class Count:
        def load(self, path): return int(path.read_text())
        def save(self, value, path): path.write_text(str(value))
        def empty(self): return 41
    def f(old: Annotated[int, IncrementalOut("a", Count())]) -> Annotated[int, IncrementalOut("a", Count())]:
        return old + 1
    pipeline.register(f)
    """
    assert [project.run(source), project.run(source)] == [42, 43]
    assert project.spec(source).outs[0].loader == "Count"


def test_stages_stay_plain_functions(project: Project) -> None:
    module = project.module(
        """
        @pipeline.register
        def f(raw: Annotated[list, Dep("a.json")], factor: int = 2) -> Annotated[list, Out("b.json")]:
            return [value * factor for value in raw]
        """
    )
    assert module.f([1, 2]) == [2, 4]
    assert module.f([1, 2], factor=3) == [3, 6]


def test_a_decorated_function_is_read_through_its_wrapper(project: Project) -> None:
    stage = project.stage(
        """
        import functools
        def twice(function):
            @functools.wraps(function)
            def call(*args, **values):
                return 2 * function(*args, **values)
            return call
        @pipeline.register
        @twice
        def f(raw: Annotated[int, Dep("a.json")]) -> Annotated[int, Out("b.json")]:
            return raw
        """
    )
    assert (stage.name, stage.function(raw=2), stage.inputs[0].key) == ("f", 4, "raw")


def test_postponed_annotations_mean_the_same(project: Project) -> None:
    head = "from __future__ import annotations\n"
    spec = project.spec(FRONT_PAGE, head=head)
    assert (spec.dep_paths(), spec.out_paths(), spec.where.line) == (["clean.json"], ["summary.json"], 21)


def test_the_root_is_the_folder_of_the_file_that_makes_the_pipeline(project: Project) -> None:
    project.write("data.txt", "")
    module = project.module('other = pivot.Pipeline("q", root="../data")\n', file="work/pipeline.py")
    assert module.pipeline.root == project.folder / "work"
    assert module.other.root == project.folder / "data"


def test_a_path_outside_the_repository_is_refused_by_the_spec_too(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with Project.open(tmp_path / "one") as project:
        stage = project.stage('def f(raw: Annotated[int, Dep("a.json")]) -> None: ...\npipeline.register(f)')
        with pytest.raises(Exception, match=r"a\.json is outside the repository"):
            stage.to_spec(tmp_path / "plain", "pipeline.py", "f")


def test_a_missing_dep_names_stage_key_path_and_line(project: Project) -> None:
    source = """
    def f(
        raw: Annotated[dict, Dep("in/a.json")],  # here
    ) -> None: ...
    pipeline.register(f)
    """
    error = project.fails(source)
    assert isinstance(error, InputError)
    assert error.what == "stage `f` needs in/a.json for `raw`, which does not exist"
    assert (error.where, error.hint) == (project.marked(), "Add the file, or register the stage that writes it.")


def test_an_unreadable_dep_names_stage_key_path_and_both_lines(project: Project) -> None:
    project.write("a.json", '{"a": 1,\n "b": }')
    source = """
    def f(raw: Annotated[dict, Dep("a.json")]) -> None: ...  # here
    pipeline.register(f)
    """
    error = project.fails(source)
    assert error.what.startswith("stage `f` cannot load `raw` from a.json: ")
    assert "a.json:2: this is not JSON: Expecting value (column 7)" in error.what
    assert error.where == project.marked()


def test_a_custom_loader_that_fails_is_named_with_its_exception(project: Project) -> None:
    project.write("a.x", "")
    source = """
    class Bad:
        def load(self, path): return {}["key"]
    def f(raw: Annotated[dict, Dep("a.x", Bad())]) -> None: ...  # here
    pipeline.register(f)
    """
    error = project.fails(source)
    assert error.what == "stage `f` cannot load `raw` from a.x: KeyError: 'key'"
    assert (error.where, type(error.__cause__)) == (project.marked(), KeyError)


def test_a_directory_where_a_file_is_declared_is_explained(project: Project) -> None:
    project.write("in/a.json", "1")
    error = project.fails('def f(raw: Annotated[dict, Dep("in", loaders.JSON())]) -> None: ...\npipeline.register(f)')
    assert error.hint == 'For a directory write Dep("in/", loader), or loaders.PathOnly().'


def test_a_cached_function_is_a_stage_too(project: Project) -> None:
    source = """
    import functools
    @pipeline.register
    @functools.lru_cache
    def f(raw: Annotated[int, Dep("a.json")]) -> Annotated[int, Out("b.json")]:
        return raw + 1
    """
    project.write("a.json", "1")
    assert project.run(source) == 2


def test_an_annotation_may_have_a_name(project: Project) -> None:
    source = """
    Raw = Annotated[int, Dep("a.json")]
    Done = Annotated[int, Out("b.json")]
    @pipeline.register
    def f(
        raw: Raw,
    ) -> Done:
        return raw + 1
    """
    spec = project.spec(source)
    lines = project.read("pipeline.py").splitlines()
    assert (lines[spec.deps[0].where.line - 1], lines[spec.outs[0].where.line - 1]) == ("    raw: Raw,", ") -> Done:")


def test_a_pipeline_folder_that_is_reached_through_a_link_is_the_same(project: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project.folder)
    stage = project.stage('def f(raw: Annotated[int, Dep("a.json")]) -> None: ...\npipeline.register(f)')
    assert stage.to_spec(tmp_path / "link", "pipeline.py", "f").dep_paths() == ["a.json"]
