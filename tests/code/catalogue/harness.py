"""Analyse a project in a forked child, so that hundreds of small projects take seconds and share nothing."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import CO_OPTIMIZED
from json import dumps, loads  # bound here: a project may replace json.dumps
from pathlib import Path
from typing import Any

import pivot.pipeline.registry  # noqa: F401 - imported once, before the forks
from pivot.code.analysis.analyse import analyse, finish, walk
from pivot.code.importing.open_pipeline import open_pipeline


@dataclass(frozen=True, slots=True)
class Seen:
    """What the analysis of a project said, and, where it was asked, what running its stages gave.

    `executed` has file and line of each project function that ran; `uncovered` those that no entry of the stage covers.
    """

    codes: dict[str, str]
    entries: dict[str, list[list[Any]]]
    remarks: list[list[Any]]
    results: dict[str, Any]
    executed: dict[str, list[list[Any]]]
    uncovered: list[list[Any]]


def write_project(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def look(root: Path, *, run: bool = False, trace: bool = False, file: str = "pipeline.py") -> Seen:
    """Analyse the project at `root`; with `run`, also call its stages; with `trace`, and see what they execute."""
    return _answer(*_ask(root, file, run, trace))


def look_at(*roots: Path, run: bool = False) -> list[Seen]:
    """The same for several projects at once."""
    asked = [_ask(root, "pipeline.py", run, False) for root in roots]
    return [_answer(*one) for one in asked]


def _ask(root: Path, file: str, run: bool, trace: bool) -> tuple[int, int]:
    answer, question = os.pipe()
    pid = os.fork()
    if pid:
        os.close(question)
        return pid, answer
    try:
        _tell(question, root, file, run, trace)
    finally:
        os._exit(0)  # whatever the project has done to this interpreter, the child must not go on as the test runner


def _tell(question: int, root: Path, file: str, run: bool, trace: bool) -> None:
    try:
        told = _inside(root, file, run, trace)
    except BaseException:
        told = {"error": traceback.format_exc()}
    data = dumps(told).encode()
    while data:
        data = data[os.write(question, data) :]


def _answer(pid: int, answer: int) -> Seen:
    with os.fdopen(answer) as stream:
        told = loads(stream.read())
    os.waitpid(pid, 0)
    if "error" in told:
        raise AssertionError(told["error"])
    return Seen(**told)


def _inside(root: Path, file: str, run: bool, trace: bool) -> dict[str, Any]:
    os.chdir((root / file).parent)
    # The streams of a fresh process, in place of those of the test runner; the child ends with them.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.argv[:] = [file]  # as the code server has it
    logging.getLogger().handlers.clear()  # those of the test runner are not the project's
    # The oracle asks what is reached, not whether values are the same each time.
    analysis = finish(walk(*open_pipeline(root, file))) if trace else analyse(root, file)
    entries = {
        stage.name: [[entry.name, entry.file, entry.line, entry.digest] for entry in stage.manifest.entries]
        for stage in analysis.model.stages
    }
    told = [remark for stage in analysis.model.stages for remark in stage.manifest.remarks]
    remarks = [[one.kind, one.name, one.file, one.line, one.why] for one in (*told, *analysis.model.remarks)]
    told_all = {
        "codes": {stage.name: stage.code for stage in analysis.model.stages},
        "entries": entries,
        "remarks": remarks,
        "results": {name: repr(live.function()) for name, live in analysis.live.items()} if run else {},
    }
    executed = {name: _trace(live.function, root) for name, live in analysis.live.items()} if trace else {}
    uncovered = [
        [stage.name, *spot]
        for stage in analysis.model.stages
        for spot in executed.get(stage.name, ())
        if not _covers(stage, *spot)
    ]
    return {**told_all, "executed": executed, "uncovered": uncovered}


def _trace(function: Any, root: Path) -> list[list[Any]]:
    """Name, file and first line of every function of the project that a call executes."""
    spots: dict[tuple[str, str, int], None] = {}
    prefix = f"{root}/"

    def hear(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(prefix):
            name = code.co_name if code.co_flags & CO_OPTIMIZED else "<module>"  # a class body runs with its module
            spots[(name, code.co_filename[len(prefix) :], code.co_firstlineno)] = None

    sys.setprofile(hear)
    try:
        function()
    finally:
        sys.setprofile(None)
    return [list(spot) for spot in spots]


def _covers(stage: Any, name: str, file: str, line: int) -> bool:
    if name == "<module>" and file in stage.manifest.passing:
        return True
    for entry in stage.manifest.entries:
        if entry.file != file:
            continue
        if name == "<module>":
            return True
        last = entry.line + len(entry.source.splitlines())
        if entry.line - len(entry.source.splitlines()) <= line <= last:
            return True
    return False
