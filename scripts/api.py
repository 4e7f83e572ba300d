"""Write what the docstrings and the annotations say into `docs/python.md`, or check that it stands there.

python scripts/api.py [--check]

The page is written by hand but for what stands below each `<!-- api: NAMES -->`.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pivot

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
_MADE = re.compile(r"(?<=^<!-- api: )([\w ]+) -->\n.*?(?=^<!-- end of api -->$)", re.MULTILINE | re.DOTALL)
_LISTS = ("Args", "Raises")
_WIDE = 100  # a longer signature stands one argument a line

_PUBLIC = {*pivot.__all__, *pivot.loaders.__all__}

Parameter = inspect.Parameter


def render(page: str) -> str:
    """The page with all made anew that the code says."""
    return _MADE.sub(lambda found: f"{found[1]} -->\n{_entries(found[1].split())}", page)


def _entries(names: list[str]) -> str:
    return "".join(f"\n{_entry(name)}\n" for name in names) + "\n"


def _entry(name: str) -> str:
    thing = getattr(pivot, name) if name in pivot.__all__ else getattr(pivot.loaders, name)
    told = [f"### {name}", "", *_told(name, thing)]
    for method, found in vars(thing).items():
        if inspect.isfunction(found) and found.__doc__ and not method.startswith("_"):
            told += ["", f"### {name}.{method}", "", *_told(f"{name}.{method}", found)]
    return "\n".join(told)


def _told(name: str, thing: Any) -> Iterator[str]:
    """The signature, the text, and what is said of each argument and error."""
    given = inspect.signature(thing)
    taken = list(_with_options(thing, [one for one in given.parameters.values() if one.name != "self"]))
    shown = _signature(name, taken, given.return_annotation)
    own = "__init__" in vars(thing) and all(one.kind is not Parameter.VAR_POSITIONAL for one in taken)
    if inspect.isclass(thing) and not own:
        bases = [base.__name__ for base in thing.__bases__ if base.__name__ in _PUBLIC]
        shown = f"class {name}({', '.join(bases)})".replace("()", "")
    text, lists = _parts(inspect.getdoc(thing) or "")
    if lists["Args"] and (wrong := lists["Args"].keys() ^ {one.name for one in taken}):
        sys.exit(f"{name}: its docstring tells what it does not take, or not all of it: {', '.join(sorted(wrong))}")
    yield from ["```py", shown, "```"]
    yield from ["", text]
    if lists["Args"]:
        yield from ["", *(f"- `{one}`: {said}" for one, said in lists["Args"].items())]
    for error, said in lists["Raises"].items():
        yield from ["", f"Raises `{error}`: {said}"]


def _with_options(thing: Any, taken: list[Parameter]) -> Iterator[Parameter]:
    """With the keys of `**options: Unpack[Options]` in the place of `options`."""
    for one in taken:
        options = re.fullmatch(r"Unpack\[(\w+)\]", str(one.annotation))
        if options is None:
            yield one
            continue
        for name, kind in thing.__globals__[options[1]].__annotations__.items():
            written = kind.__forward_arg__ if isinstance(kind, typing.ForwardRef) else kind
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=..., annotation=written)


def _signature(name: str, taken: list[Parameter], returned: Any) -> str:
    """As it stands in the source: annotations are text there, and not what they stand for on this Python."""
    shown = []
    for one in taken:
        if one.kind is Parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        star = "*" * (one.kind is Parameter.VAR_POSITIONAL)
        default = "" if one.default is Parameter.empty else f" = {'...' if one.default is ... else repr(one.default)}"
        shown.append(f"{star}{one.name}: {one.annotation}{default}")
    result = "" if returned in (inspect.Signature.empty, None, "None") else f" -> {returned}"
    line = f"{name}({', '.join(shown)}){result}"
    long = "\n".join([f"{name}(", *(f"    {one}," for one in shown), f"){result}"])
    return (line if len(line) <= _WIDE else long).replace("'", '"')


def _parts(doc: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The text of a docstring, and its lists: name and meaning."""
    text, *rest = re.split(rf"^({'|'.join(_LISTS)}):\n", doc, flags=re.MULTILINE)
    lists: dict[str, dict[str, str]] = {name: {} for name in _LISTS}
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        for entry in re.split(r"^    (?=\S)", body, flags=re.MULTILINE)[1:]:
            name, _, said = entry.partition(":")
            lists[title][name] = " ".join(said.split())
    return text.strip(), lists


def main(arguments: list[str]) -> int:
    """0 if the page is right (or was written), 1 if `--check` finds it out of date."""
    old = PAGE.read_text(encoding="utf-8")
    page = render(old)
    if "--check" in arguments:
        return int(page != old)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
