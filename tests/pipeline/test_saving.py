"""What a stage returned becomes its outputs, or nothing is written and the error says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.errors import CheckFailed
from tests.pipeline.project import Project

ONE = """
def f() -> Annotated[dict, Out("out/a.json")]:  # here
    return {value}
pipeline.register(f)
"""
KEYS = """
class Outs(TypedDict):
    one: Annotated[dict, Out("one.json")]
    two: Annotated[dict, Out("two.json")]  # here
def f() -> Outs:
    return {value}
pipeline.register(f)
"""
FOLDER = """
def f() -> Annotated[dict, DirectoryOut("out/", loaders.JSON())]:  # here
    return {value}
pipeline.register(f)
"""
WRITTEN = """
import os
def f() -> Annotated[pathlib.Path, Out("out/a.txt", loaders.PathOnly())]:  # here
    {body}
pipeline.register(f)
"""


def files(folder: Path) -> dict[str, str]:
    """Every file below the folder, except Git's and the pipeline's own."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "pipeline.py")
    plain = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_text() for name, path in plain.items() if not name.startswith((".git/", "__pycache__/"))}


def test_a_value_is_written_by_its_loader_and_nothing_else_is_left(project: Project) -> None:
    project.run(ONE.format(value='{"a": 1}'))
    assert files(project.folder) == {"out/a.json": '{\n  "a": 1\n}\n'}


def test_a_directory_has_one_file_a_key_and_vanished_keys_go(project: Project) -> None:
    project.run(FOLDER.format(value='{"a.json": 1, "deep/b.json": 2}'))
    assert files(project.folder) == {"out/a.json": "1\n", "out/deep/b.json": "2\n"}
    project.run(FOLDER.format(value='{"a.json": 3}'))
    assert files(project.folder) == {"out/a.json": "3\n"}


def test_a_directory_may_be_written_without_its_slash(project: Project) -> None:
    source = FOLDER.replace('"out/"', '"out"')
    assert "for the directory out/" in project.fails(source.format(value="3")).what
    project.run(source.format(value='{"a.json": 1}'))
    assert files(project.folder) == {"out/a.json": "1\n"}


def test_an_empty_directory_is_an_output_too(project: Project) -> None:
    project.run(FOLDER.format(value="{}"))
    assert (project.folder / "out").is_dir()


BAD_KEYS = [
    "''", "'/a'", "'../a'", "'a/../b'", "'./a'", "'a//b'", "'a/'", "'a\\\\b'", "'a\\0b'", "3", "'.git/config'",
    "'.GIT/x'", "'a' * 256", "'A': 0, 'a'", "'a': 0, 'a/b'", "'e\\u0301': 0, '\\u00e9'",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_is_refused_before_anything_is_written(project: Project, key: str) -> None:
    error = project.fails(FOLDER.format(value=f"{{'good.json': 1, {key}: 2}}"))
    assert error.what.startswith("stage `f` returned a bad key for out/: ")
    assert error.where == project.marked()
    assert files(project.folder) == {}


def test_a_bad_key_leaves_another_output_unwritten_too(project: Project) -> None:
    error = project.fails(
        """
        class Outs(TypedDict):
            one: Annotated[dict, Out("one.json")]
            two: Annotated[dict, DirectoryOut("two/", loaders.JSON())]  # here
        def f() -> Outs:
            return {"one": {}, "two": {"../x": 1}}
        pipeline.register(f)
        """
    )
    assert error.where == project.marked()
    assert files(project.folder) == {}


def test_a_value_that_cannot_be_written_leaves_the_old_file(project: Project) -> None:
    project.run(ONE.format(value='{"a": 1}'))
    before = files(project.folder)
    error = project.fails(ONE.format(value='{"a": object()}'))
    assert isinstance(error, CheckFailed)
    assert error.what == (
        "stage `f` returned a value of type dict, which JSON() cannot write to out/a.json: object has no form in JSON"
    )
    assert error.where == project.marked()
    assert files(project.folder) == before


@pytest.mark.skipif(not hasattr(os, "link"), reason="no hard links here")
def test_a_hard_linked_output_is_replaced_and_not_written_through(project: Project, tmp_path: Path) -> None:
    project.run(ONE.format(value='{"a": 1}'))
    os.link(project.folder / "out/a.json", tmp_path / "stored")
    project.run(ONE.format(value='{"a": 2}'))
    assert (tmp_path / "stored").read_text() == '{\n  "a": 1\n}\n'


LAZY = """
class Lazy:
    def save(self, value, path): pass
def f() -> Annotated[int, Out("a.x", Lazy())]:  # here
    return 1
pipeline.register(f)
"""

# (source, message, hint)
MISMATCHES = [
    (ONE.format(value="None"), "returned nothing for out/a.json, and its return type says dict", "type dict"),
    (ONE.format(value="[1]"), "returned a value of type list for out/a.json", "type dict"),
    (KEYS.format(value="{'one': {}}"), "did not return the key `two` (two.json)", "optional=True"),
    (FOLDER.format(value="[1]"), "returned a value of type list for the directory out/", "one file a key"),
    (WRITTEN.format(body="return pathlib.Path('out/a.txt')"), "did not write out/a.txt", "Write the file"),
    (WRITTEN.format(body="return None"), "did not write out/a.txt", "Write the file"),
    (
        WRITTEN.format(body="return pathlib.Path('out/b.txt')"),
        "returned the path out/b.txt, and declares out/a.txt",
        "declare the other path",
    ),
    (
        WRITTEN.format(body="return {'a': 1}"),
        "returned a value of type dict for out/a.txt, and its loader is PathOnly",
        "a loader that writes the value",
    ),
    (
        "def f() -> Annotated[list, Out(['a.json', 'b.json'])]:  # here\n    return [1]\npipeline.register(f)",
        "returned a value of type list for `return`, which has 2 paths",
        "a list of 2 values",
    ),
    (
        LAZY,
        "has the loader Lazy, whose save() wrote nothing to a.x",
        "must write",
    ),
]


@pytest.mark.parametrize(("source", "what", "hint"), MISMATCHES, ids=[row[1] for row in MISMATCHES])
def test_a_value_that_does_not_match_is_refused_with_the_line_of_the_annotation(
    project: Project, source: str, what: str, hint: str
) -> None:
    error = project.fails(source)
    assert isinstance(error, CheckFailed)
    assert what in error.what
    assert (error.where, files(project.folder)) == (project.marked(), {})
    assert hint in str(error.hint)


def test_a_key_that_is_not_declared_is_refused_with_the_closest(project: Project) -> None:
    error = project.fails(KEYS.format(value="{'one': {}, 'twoo': {}}"))
    assert error.what == "stage `f` returned the key 'twoo', which its return type has not"
    assert error.hint == "Did you mean `two`?"


def test_a_value_that_is_no_dict_names_the_keys(project: Project) -> None:
    error = project.fails(KEYS.format(value="3"))
    assert (error.what, error.hint) == (
        "stage `f` returned a value of type int, not a dict",
        "Return a dict with: one, two.",
    )


def test_a_stage_without_outputs_returns_nothing(project: Project) -> None:
    project.run("def f() -> None: ...\npipeline.register(f)")
    error = project.fails("def f() -> None: return 3\npipeline.register(f)")
    assert "returned a value of type int, and its return type is None" in error.what


@pytest.mark.parametrize("value", ["{}", "{'one': None}"])
def test_an_optional_output_may_be_left_out_and_then_its_old_file_goes(project: Project, value: str) -> None:
    source = """
    class Outs(TypedDict, total=False):
        one: Annotated[dict, Out("one.json", optional=True)]
    def f() -> Outs:
        return {value}
    pipeline.register(f)
    """
    project.run(source.format(value="{'one': {}}"))
    assert files(project.folder) == {"one.json": "{}\n"}
    project.run(source.format(value=value))
    assert files(project.folder) == {}


@pytest.mark.parametrize("value", ["'out/a.txt'", "pathlib.Path('out/a.txt')", "os.path.abspath('out/a.txt')", "None"])
def test_a_file_that_the_stage_wrote_is_taken_under_any_spelling(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(project.folder)
    stage = project.stage(WRITTEN.format(body=f"pathlib.Path('out/a.txt').write_text('x'); return {value}"))
    stage.prepare_outputs(project.folder)
    stage.save_outputs(stage.function(), project.folder)
    assert files(project.folder) == {"out/a.txt": "x"}


def test_a_folder_that_cannot_be_made_is_said_and_not_a_traceback(project: Project) -> None:
    project.write("out", "a file where the output's folder should be")
    error = project.fails(ONE.format(value="{}"))
    assert error.what.startswith("stage `f` cannot write out/a.json: ")
    assert (error.where, error.hint) == (project.marked(), "Check the disk's space and the folder's permissions.")


def test_only_the_output_stands_in_the_folder_after_a_failure(project: Project) -> None:
    source = """
    class Half:
        def save(self, value, path):
            path.write_text("half")
            raise ValueError("no")
    def f() -> Annotated[int, Out("out/a.x", Half())]: return 1
    pipeline.register(f)
    """
    assert (
        project.fails(source).what == "stage `f` returned a value of type int, which Half cannot write to out/a.x: no"
    )
    assert files(project.folder) == {}
