"""Inputs that live outside the repository, at a path or behind a URL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pivot.errors import InputError
from tests.pipeline.project import Project


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine that offers `raw.json`."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "raw.json").write_text("[5]")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def declared(kind: str, url: str) -> str:
    return f'def f(raw: Annotated[{kind}, ExternalDep("{url}")]) -> None: ...  # here\npipeline.register(f)'


def test_a_url_is_read_by_the_loader_of_its_extension(project: Project, address: str) -> None:
    stage = project.stage(declared("list", f"{address}/raw.json?version=1"))
    assert stage.load_inputs(project.folder) == {"raw": [5]}
    dep = stage.to_spec(project.folder, "pipeline.py", "f").deps[0]
    assert (dep.kind, dep.paths, dep.loader) == ("external", (f"{address}/raw.json?version=1",), "JSON()")


def test_a_url_as_path_is_a_file_that_stays_while_the_stage_runs(project: Project, address: str) -> None:
    found = project.stage(declared("pathlib.Path", f"{address}/raw.json")).load_inputs(project.folder)["raw"]
    assert (found.read_text(), found.suffix) == ("[5]", ".json")


def test_a_url_that_is_not_there_names_stage_key_and_line(project: Project, address: str) -> None:
    error = project.fails(declared("list", f"{address}/other.json"))
    assert isinstance(error, InputError)
    assert error.what.startswith(f"stage `f` cannot load `raw` from {address}/other.json: HTTPError: HTTP Error 404")
    assert error.where == project.marked()


def test_a_missing_path_outside_is_a_missing_dep(project: Project, tmp_path: Path) -> None:
    error = project.fails(declared("list", f"{tmp_path}/nothing.json"))
    assert error.what == f"stage `f` needs {tmp_path}/nothing.json for `raw`, which does not exist"
