"""Pages of the documentation as the reader meets them: files to write, commands to type, and what these say.

CONTRIBUTING.md tells how a page is written so that it can be read and run from here.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"^ *<!-- *(?P<text>.*?)(?P<end>-->)?$")
_FENCE = re.compile(r"^(?P<mark> *`{3,})(?P<language>\{?[\w-]*\}?) *(?P<argument>.*)$")
_EXITS = re.compile(r"# exits with (\d+)$")


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed after a `$`, and the lines below it; without lines only its exit code is held against the page."""

    line: int
    text: str
    said: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        found = _EXITS.search(self.text)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class File:
    """A block that is the content of a file, its end (`append`), or definitions that take the place of others."""

    line: int
    how: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A Python block that stands for itself."""

    line: int
    text: str


Step = Command | File | Example


@dataclass(frozen=True, slots=True)
class Page:
    """`needs` and `fixtures` are modules and fixtures of the tests without which its steps cannot run."""

    steps: tuple[Step, ...]
    needs: tuple[str, ...]
    fixtures: tuple[str, ...]


class UnreadablePage(Exception):
    """A marker or a block that means nothing: the reader's commands would pass for text."""


def read_page(text: str) -> Page:
    """Raises `UnreadablePage`."""
    steps: list[Step] = []
    told: dict[str, list[str]] = {"needs": [], "fixture": []}
    marker = ("", "")
    for kind, line, argument, content in _pieces(text):
        if kind == "comment":
            word, _, rest = argument.partition(":")
            if word in told:
                told[word].append(rest.strip())
            elif word == "run":
                steps.append(Command(line, content))
            else:
                marker = (word, rest.strip())
            continue
        steps += _block(line, kind, marker, content)
        marker = ("", "")
    return Page(tuple(steps), tuple(told["needs"]), tuple(told["fixture"]))


def _block(line: int, language: str, marker: tuple[str, str], content: str) -> Iterator[Step]:
    how, name = marker
    if how == "not run":
        if not name:
            raise UnreadablePage(f"line {line}: `not run` wants a reason")
    elif how in ("file", "append", "edit"):
        yield File(line, how, name, content)
    elif language == "console":
        yield from _commands(line, content)
    elif language == "python":
        yield Example(line, content)
    elif language in ("sh", "shell", "bash", "pycon") or re.search(r"^(\$|git pivot) ", content, re.MULTILINE):
        raise UnreadablePage(f"line {line}: commands stand in a `console` block, each after `$ `")


def _commands(line: int, content: str) -> Iterator[Command]:
    """The commands of a console block; one goes on in lines that begin with `> `."""
    lines = content.splitlines()
    starts = [number for number, one in enumerate(lines) if one.startswith("$ ")]
    if starts[:1] != [0]:
        raise UnreadablePage(f"line {line}: a console block begins with a command, `$ ...`")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        typed = [lines[start].removeprefix("$ ")]
        rest = lines[start + 1 : end]
        while rest and rest[0].startswith("> "):
            typed.append(rest.pop(0).removeprefix("> "))
        yield Command(line + start, "\n".join(typed), tuple("\n".join(rest).rstrip().splitlines()))


def _pieces(text: str) -> Iterator[tuple[str, int, str, str]]:
    """Comments and fenced blocks in order: kind or language, line of the content, argument, content."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        comment, fence = _COMMENT.match(lines[at]), _FENCE.match(lines[at])
        start = at + 1
        if comment:
            at = start if comment["end"] else _find(lines, start, "-->")
            yield "comment", start + 1, comment["text"].strip(), "\n".join(lines[start : at - 1])
        elif fence:
            at = _find(lines, start, fence["mark"])
            content = textwrap.dedent("\n".join(lines[start : at - 1])) + "\n"
            yield fence["language"], start + 1, fence["argument"], content
        else:
            at += 1


def _find(lines: list[str], start: int, end: str) -> int:
    """The number of the line after the next one that is `end`."""
    for number in range(start, len(lines)):
        if lines[number].rstrip() == end:
            return number + 1
    raise UnreadablePage(f"line {start}: {end.strip()} is missing")


def with_definitions(old: str, new: str) -> str:
    """A Python file in which the top-level definitions of `new` take the place of those of the same names.

    Raises:
        UnreadablePage: there is no such definition.
    """
    lines = old.splitlines(keepends=True)
    spans = dict(_spans(old))
    made = new.splitlines(keepends=True)
    edits = []
    for name, (start, end) in _spans(new):
        if name not in spans:
            raise UnreadablePage(f"{name} is not defined in the file that it is to be edited in")
        edits.append((spans[name], made[start:end]))
    for (start, end), text in sorted(edits, reverse=True):
        lines[start:end] = text
    return "".join(lines)


def _spans(source: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each statement that binds a name, or calls on one, with the lines that it takes, decorators included."""
    for node in ast.parse(source).body:
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(one.lineno for one in decorators)]) - 1
        name = getattr(node, "name", None) or ast.unparse(node).partition("=")[0].partition(":")[0].strip()
        yield name, (start, node.end_lineno or node.lineno)


def differs(command: Command, said: str) -> str:
    """What of the lines that a command has said is not as the page shows them; empty when nothing is."""
    if not command.said or _pattern(command.said).fullmatch(_plain(said)):
        return ""
    shown = "\n".join(command.said)
    return f"the page shows\n{textwrap.indent(shown, '    ')}\nit said\n{textwrap.indent(said, '    ')}"


def _pattern(shown: tuple[str, ...]) -> re.Pattern[str]:
    """A line `...` stands for any lines, `...` in a line for any text."""
    lines = ["(?:.*\n)*?" if line.strip() == "..." else _line(line) for line in shown]
    return re.compile("".join(lines))


def _line(line: str) -> str:
    return ".*".join(re.escape(_plain(part)) for part in line.rstrip().split("...")) + r" *\n"


def _plain(text: str) -> str:
    """Ids, times and seconds are what they happen to be, and are not compared."""
    times = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "TIME", text)
    ids = re.sub(r"\b(?=[a-f]*[0-9])[0-9a-f]{7,64}\b", "ID", times)
    return re.sub(r"\b\d+\.\d+ s\b", "SECONDS", ids)
