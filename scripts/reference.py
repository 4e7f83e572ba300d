"""Write what the commands say of themselves into `docs/commands.md` and the man page, or check that it stands there.

python scripts/reference.py [--check]
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from pivot.cli.app import COMMANDS, app

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "commands.md"
MAN = ROOT / "docs" / "man" / "git-pivot.1"
BEGIN, END = '.\\" commands: made by scripts/reference.py', '.\\" end of commands'

HEAD = """\
# Commands

`git pivot COMMAND` and `pivot COMMAND` are the same. `-h` after a command shows what stands here.
What the exit codes mean: [Exit codes](exit-codes.md).
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its own help describes it; `text` is paragraphs, `options` pairs of syntax and meaning."""

    name: str
    arguments: str
    text: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


def commands() -> Iterator[Command]:
    context = click.Context(app, info_name="git pivot")
    for name, command, inner in _all_commands(context):
        arguments = " ".join(piece for piece in command.collect_usage_pieces(inner) if piece != "[OPTIONS]")
        options = tuple(_option(one) for one in command.params if isinstance(one, click.Option) and not one.hidden)
        paragraphs = re.split(r"\n\s*\n", command.help or "")
        text = tuple(" ".join(paragraph.split()) for paragraph in paragraphs)
        yield Command(name, arguments, text, options)


def _all_commands(context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command, those inside a group after it."""
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield name, command, inner
        if isinstance(command, click.Group):
            for below, found in command.commands.items():
                yield f"{name} {below}", found, click.Context(found, info_name=below, parent=inner)


def _option(option: click.Option) -> tuple[str, str]:
    """Not click's own record of it, which differs between its versions."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag or option.count else f" {option.metavar or option.type.name.upper()}"
    return names + value, option.help or ""


def page(listed: list[Command]) -> str:
    return HEAD + "".join(_section(command) for command in listed)


def _section(command: Command) -> str:
    usage = f"git pivot {command.name} {'[OPTIONS] ' if command.options else ''}{command.arguments}".rstrip()
    lines = ["", f"## {command.name}", "", "```text", usage, "```"]
    for paragraph in command.text:
        lines += ["", paragraph]
    if command.options:
        lines += ["", "| option | meaning |", "|---|---|"]
        lines += [f"| `{option}` | {meaning.replace('|', chr(92) + '|')} |" for option, meaning in command.options]
    return "\n".join(lines) + "\n"


def man_page(old: str, listed: list[Command], version: str) -> str:
    """The man page with its version and its commands made anew; the rest of it is written by hand."""
    before, rest = old.split(BEGIN)
    after = rest.split(END)[1]
    before = re.sub(r'"git-pivot [^"]*"', f'"git-pivot {version}"', before, count=1)
    return f"{before}{BEGIN}\n{''.join(_roff(command) for command in listed)}{END}{after}"


def _roff(command: Command) -> str:
    arguments = re.sub(r"[A-Z]+", lambda match: f"\\fI{match[0]}\\fR", _escape(command.arguments))
    lines = [".TP", f"\\fB{command.name}\\fR {arguments}".rstrip()]
    for number, paragraph in enumerate(command.text):
        lines += [".sp"] * bool(number) + [_escape(paragraph)]
    if command.options:
        lines.append(".RS")
        for option, meaning in command.options:
            lines += [".TP", f"\\fB{_escape(option)}\\fR", _escape(meaning)]
        lines.append(".RE")
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main() -> None:
    listed = list(commands())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    made = {PAGE: page(listed), MAN: man_page(MAN.read_text(encoding="utf-8"), listed, version)}
    for path, text in made.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            sys.exit(f"{path.relative_to(ROOT)} is not what the commands say of themselves; run `make reference`")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
