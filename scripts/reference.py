"""Write what the commands say of themselves: `docs/commands.md`, the man pages, and the words that shells complete.

python scripts/reference.py [--check]     with --check, only say whether they are up to date
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import click

from pivot.cli.app import COMMANDS, app

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "commands.md"
MAN = ROOT / "docs" / "man"
WORDS = ROOT / "pivot" / "cli" / "completion_scripts" / "words.tsv"
BEGIN, END = '.\\" commands: made by scripts/reference.py', '.\\" end of commands'

# REMOTE is one of Git's remotes, NAME one of outputs; before TARGETs, which are stages, stand words that name either.
_KINDS = {
    "STAGE": "stage",
    "TARGET": "store|stage",
    "REV": "rev",
    "REMOTE": "remote",
    "NAME": "store",
    "STAGE.NAME=VALUE": "value",
    "PATH": "file",
}

HEAD = """\
# Commands

`git pivot COMMAND` and `pivot COMMAND` are the same. `-h` after a command shows what stands here.
What the exit codes mean: [Exit codes](exit-codes.md).
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its own help describes it; `text` is paragraphs, `options` pairs of syntax and meaning.

    `words` are its rows in the table of completion, without its name.
    """

    name: str
    short: str
    arguments: str
    text: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, str, str], ...]


def commands() -> Iterator[Command]:
    context = click.Context(app, info_name="git pivot")
    for name, command, inner in _all_commands(context):
        pieces = [piece for piece in command.collect_usage_pieces(inner) if piece != "[OPTIONS]"]
        taken = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        options = tuple(_option(one) for one in taken)
        paragraphs = re.split(r"\n\s*\n", command.help or "")
        text = tuple(" ".join(paragraph.split()) for paragraph in paragraphs)
        short = COMMANDS[name][1] if name in COMMANDS else command.get_short_help_str(limit=200)
        below = ["|".join(command.commands)] if isinstance(command, click.Group) else pieces
        arguments = " ".join(_places(" ".join(below), new="URL" in below))
        words = (("", arguments, short), *(_words(one) for one in taken), ("-h --help", "-", "Show what it does."))
        yield Command(name, short, " ".join(pieces), text, options, words)


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


def _words(option: click.Option) -> tuple[str, str, str]:
    value = "-" if option.is_flag or option.count else _kinds(option.metavar or option.type.name.upper(), option.type)
    return " ".join([*option.opts, *option.secondary_opts]), value, option.help or ""


def _places(shown: str, *, new: bool) -> Iterator[str]:
    """What may stand at each place: of `REV PATH | ID` there are two, and the first is filled in two ways.

    Where one kind of word may be repeated before another, either may stand everywhere. With `new` a name is one that
    nothing has yet.
    """
    ways = [way.split(" ") for way in shown.replace("]... [", "]...|[").split(" | ") if way]
    for words in zip_longest(*ways):
        yield "none" if new else "|".join(_kinds(word) for word in words if word)


def _kinds(shown: str, of: object = None) -> str:
    """What may stand for an argument or a value, from how the help shows it; the kinds: `cli.completion_candidates`."""
    if isinstance(of, click.Choice):
        return "|".join(map(str, of.choices))
    names = [name.strip("[]{}. ") for name in shown.split("|")]
    return "|".join(name if name.islower() else _KINDS.get(name, "none") for name in names)


def words_table(listed: list[Command]) -> str:
    return "".join("\t".join([command.name, *row]) + "\n" for command in listed for row in command.words)


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
    rows = "".join(
        f".TP\n\\fBgit\\-pivot\\-{command.name}\\fR(1)\n{_escape(command.short)}\n"
        for command in listed
        if " " not in command.name
    )
    return f"{before}{BEGIN}\n{rows}{END}{after}"


def command_man_page(command: Command, version: str) -> str:
    name = command.name.replace(" ", "-")
    arguments = re.sub(r"[A-Z]+", lambda match: f"\\fI{match[0]}\\fR", _escape(command.arguments))
    options = "[\\fIoptions\\fR] " if command.options else ""
    lines = [
        f'.TH GIT-PIVOT-{name.upper()} 1 "" "git-pivot {version}" "Git Manual"',
        ".SH NAME",
        f"git\\-pivot\\-{_escape(name)} \\- {_escape(command.short[0].lower() + command.short[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        f"\\fBgit pivot {command.name}\\fR {options}{arguments}".rstrip(),
        ".SH DESCRIPTION",
    ]
    for number, paragraph in enumerate(command.text):
        lines += [".PP"] * bool(number) + [_escape(paragraph)]
    if command.options:
        lines.append(".SH OPTIONS")
        for option, meaning in command.options:
            lines += [".TP", f"\\fB{_escape(option)}\\fR", _escape(meaning)]
    lines += [".SH SEE ALSO", "\\fBgit\\-pivot\\fR(1), which tells the exit codes too"]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def made() -> dict[Path, str]:
    """Every file that is made here, and what is to stand in it."""
    listed = list(commands())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    main_page = MAN / "git-pivot.1"
    pages = {
        MAN / f"git-pivot-{command.name.replace(' ', '-')}.1": command_man_page(command, version) for command in listed
    }
    first = {PAGE: page(listed), main_page: man_page(main_page.read_text(encoding="utf-8"), listed, version)}
    return {**first, **pages, WORDS: words_table(listed)}


def main() -> None:
    files = made()
    wrong = {path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    left_over = set(MAN.glob("*.1")) - files.keys()
    if "--check" in sys.argv:
        if wrong | left_over:
            names = ", ".join(sorted(str(path.relative_to(ROOT)) for path in wrong | left_over))
            sys.exit(f"not what the commands say of themselves, run `make reference`: {names}")
        return
    for path in wrong:
        path.write_text(files[path], encoding="utf-8")
    for path in left_over:
        path.unlink()


if __name__ == "__main__":
    main()
