"""Analyse a project in a forked child, so that hundreds of small projects take seconds and share nothing."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pivot.pipeline.registry
from pivot.code.analysis import analyse


@dataclass(frozen=True, slots=True)
class Seen:
    """What the analysis of a project said: the code digest of each stage, entries, remarks, and results if asked for."""

    codes: dict[str, str]
    entries: dict[str, list[list[Any]]]
    remarks: list[list[Any]]
    results: dict[str, Any]


def write_project(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def look(root: Path, *, run: bool = False, file: str = "pipeline.py") -> Seen:
    """Analyse the project at `root`; with `run`, also call its stages."""
    return _answer(*_ask(root, file, run))


def look_at(*roots: Path, run: bool = False) -> list[Seen]:
    """The same for several projects at once."""
    asked = [_ask(root, "pipeline.py", run) for root in roots]
    return [_answer(*one) for one in asked]


def _ask(root: Path, file: str, run: bool) -> tuple[int, int]:
    answer, question = os.pipe()
    pid = os.fork()
    if pid:
        os.close(question)
        return pid, answer
    try:
        told = _inside(root, file, run)
    except BaseException:
        told = {"error": traceback.format_exc()}
    with os.fdopen(question, "w") as stream:
        json.dump(told, stream)
    os._exit(0)


def _answer(pid: int, answer: int) -> Seen:
    with os.fdopen(answer) as stream:
        told = json.load(stream)
    os.waitpid(pid, 0)
    if "error" in told:
        raise AssertionError(told["error"])
    return Seen(**told)


def _inside(root: Path, file: str, run: bool) -> dict[str, Any]:
    os.chdir((root / file).parent)
    # The streams of a fresh process, in place of those of the test runner; the child ends with them.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115, PTH123
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    analysis = analyse(root, file)
    entries = {
        stage.name: [[entry.name, entry.file, entry.line, entry.digest] for entry in stage.manifest.entries]
        for stage in analysis.model.stages
    }
    told = [remark for stage in analysis.model.stages for remark in stage.manifest.remarks]
    remarks = [[one.kind, one.name, one.file, one.line, one.why] for one in (*told, *analysis.model.remarks)]
    codes = {stage.name: stage.code for stage in analysis.model.stages}
    results = {name: repr(live.function()) for name, live in analysis.live.items()} if run else {}
    return {"codes": codes, "entries": entries, "remarks": remarks, "results": results}
