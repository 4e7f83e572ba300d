"""A repository with one pipeline file, for tests that declare stages."""

from __future__ import annotations

import importlib.util
import itertools
import linecache
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pivot.errors import PivotError
from pivot.pipeline.spec import StageSpec
from pivot.pipeline.stage import Stage

HEAD = """\
import pathlib
from typing import Annotated, Any, NotRequired, TypedDict
import pivot
from pivot import Dep, DirectoryOut, ExternalDep, IncrementalOut, Metric, Out, PlaceholderDep, Plot, loaders
pipeline = pivot.Pipeline("p")
"""
_numbers = itertools.count()


@dataclass(slots=True)
class Project:
    """`load` imports `pipeline.py` with this source below the usual imports and `pipeline = pivot.Pipeline("p")`."""

    folder: Path
    modules: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Project]:
        folder.mkdir()
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        project = cls(folder)
        try:
            yield project
        finally:
            for name in project.modules:
                sys.modules.pop(name, None)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def module(self, source: str, file: str = "pipeline.py", head: str = HEAD) -> ModuleType:
        path = self.write(file, head + textwrap.dedent(source))
        linecache.checkcache(str(path))
        name = f"project_{next(_numbers)}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        self.modules.append(name)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def stages(self, source: str, file: str = "pipeline.py", head: str = HEAD) -> dict[str, Stage]:
        pipeline = self.module(source, file, head).pipeline
        return {stage.name: stage for stage in pipeline.stages}

    def stage(self, source: str, **options: str) -> Stage:
        """The last stage that is registered."""
        return list(self.stages(source, **options).values())[-1]

    def spec(self, source: str, **options: str) -> StageSpec:
        stage = self.stage(source, **options)
        return stage.to_spec(self.folder, options.get("file", "pipeline.py"), stage.name)

    def run(self, source: str) -> Any:
        """Run the last stage as a child would: load, call, save; its value."""
        stage = self.stage(source)
        value = stage.function(**stage.load_inputs(self.folder))
        stage.save_outputs(value, self.folder)
        return value

    def refused(self, source: str, **options: str) -> PivotError:
        """The error of a pipeline file that will not do."""
        with pytest.raises(PivotError) as caught:
            self.stages(source, **options)
        return caught.value

    def fails(self, source: str) -> PivotError:
        """The error of a stage that is declared well and does something else."""
        stage = self.stage(source)
        with pytest.raises(PivotError) as caught:
            stage.save_outputs(stage.function(**stage.load_inputs(self.folder)), self.folder)
        return caught.value

    def marked(self, file: str = "pipeline.py") -> str:
        """`file:line` of the line that says `# here`."""
        lines = self.read(file).splitlines()
        return next(f"{file}:{number}" for number, line in enumerate(lines, 1) if "# here" in line)
