"""What a check of commits found: as text, JSON, JUnit XML, and as annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

from pivot.git.plumbing.quoting import one_line
from pivot.history.attestation import Attested, Problem
from pivot.reports.units import first

VERSION = 1
_PATHS = 3

Place = tuple[str, int]
"""File and line of a stage's function."""


def verify_lines(checked: Iterable[Attested], download: str) -> Iterator[str]:
    """One line a problem; outputs that are not here are told once, with `download`: why, and the next command."""
    for one in checked:
        if not one.problems:
            number = len(one.stages)
            yield f"{one.commit[:12]}: {number} stage{'' if number == 1 else 's'} verified"
            yield from (f"  not proven: {one_line(what)}" for what in one.unproven)
            continue
        yield f"{one.commit[:12]}: does not hold"
        absent = [problem.absent for problem in one.problems if problem.absent]
        yield from (f"  {one_line(str(problem))}" for problem in one.problems if not problem.absent or len(absent) == 1)
        if len(absent) > 1:
            yield f"  the store does not have {one_line(first(absent, _PATHS))}"
        if absent:
            yield f"  {download}"


def verify_document(checked: Iterable[Attested]) -> dict[str, Any]:
    return {"version": VERSION, "commits": [_commit(one) for one in checked]}


def github_lines(checked: Iterable[Attested], place: Callable[[str], Place | None]) -> Iterator[str]:
    """Workflow commands: each problem stands at the stage's function, where `place` knows it."""
    for one in checked:
        if not one.problems:
            left = f"; not proven: {'; '.join(one.unproven)}" if one.unproven else ""
            said = f"{one.commit[:12]}: {len(one.stages)} stages verified{left}"
            yield f"::notice title=git pivot verify::{_escaped(one_line(said))}"
        for problem in one.problems:
            yield _annotation(one.commit, problem, place(problem.stage) if problem.stage else None)


def junit_document(checked: Iterable[Attested]) -> str:
    """A test suite for each commit, in it a test case for each stage, and one for what is said of the whole."""
    root = ElementTree.Element("testsuites", name="git pivot verify")
    for one in checked:
        cases: dict[str, list[str]] = {stage: [] for stage in one.stages}
        for problem in one.problems:
            cases.setdefault(problem.stage or "commit", []).append(problem.what)
        counts = {"tests": str(len(cases)), "failures": str(sum(map(bool, cases.values())))}
        suite = ElementTree.SubElement(root, "testsuite", {"name": one.commit[:12], **counts})
        for stage, problems in cases.items():
            case = ElementTree.SubElement(suite, "testcase", name=_plain(stage), classname=one.commit[:12])
            if problems:
                failure = ElementTree.SubElement(case, "failure", message=_plain(problems[0]))
                failure.text = _plain("\n".join(problems))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _commit(one: Attested) -> dict[str, Any]:
    problems = [{"stage": problem.stage or None, "problem": problem.what} for problem in one.problems]
    return {
        "commit": one.commit,
        "holds": not one.problems,
        "stages": list(one.stages),
        "problems": problems,
        "unproven": list(one.unproven),
    }


def _annotation(commit: str, problem: Problem, place: Place | None) -> str:
    where = f"file={_escaped(place[0], ':,')},line={place[1]}," if place else ""
    return f"::error {where}title=git pivot verify {commit[:12]}::{_escaped(one_line(str(problem)))}"


def _escaped(text: str, more: str = "") -> str:
    """What ends a command, or with `more` a property, as GitHub reads it back."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _plain(text: str) -> str:
    """Without the characters that XML cannot hold at all."""
    return "".join(one if one in "\t\n" or (one >= " " and not "\ud800" <= one <= "\udfff") else "?" for one in text)
