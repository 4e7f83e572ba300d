"""What may stand next on the command line: asked by the shell at each TAB, so it imports next to nothing.

The words of the commands stand in `completion_scripts/words.tsv`, which `scripts/reference.py` makes from the commands
themselves. Stages are those that the last analysis found: the user's code is not imported.
"""

from __future__ import annotations

import os
import sys

from pivot.code.analysis.completion_index import read_names
from pivot.git.plumbing.ownership import owned_by_me

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# How Git names its remotes, and how those of outputs: in this clone's own settings, and in those of everybody.
REMOTES = {
    "remote": "git remote 2>/dev/null",
    "store": r"""exec 2>/dev/null
url='^pivot-remote\..*\.url$'
git config --name-only --get-regexp "$url"
root=$(git rev-parse --show-toplevel) && git config --file "$root/.pivotconfig" --name-only --get-regexp "$url"
""",
}
FOLDER = f"{os.path.dirname(os.path.abspath(__file__))}/completion_scripts"
ARGUMENT = ""

# Of a command: what each option takes (`-`: nothing) and its help; under ARGUMENT, what its arguments are.
Words = dict[str, tuple[str, str]]


def complete(words: list[str]) -> None:
    """Print what the last of the words after `git pivot` may become, one a line, with its meaning after a tab."""
    typed, table = words[-1] if words else "", _read_table()
    if len(words) < 2:
        _print(typed, ((name, options[ARGUMENT][1]) for name, options in table.items() if " " not in name))
        return
    if len(words) > 2 and " ".join(words[:2]) in table:
        words = [" ".join(words[:2]), *words[2:]]
    options = table.get(words[0], {ARGUMENT: ("file", "")})
    option, equals, value = typed.partition("=")
    if equals and option.startswith("--"):
        _print_kinds(options.get(option, ("file", ""))[0], value, before=f"{option}=")
    elif typed.startswith("-"):
        _print(typed, ((name, text) for name, (_, text) in options.items() if name))
    elif len(words) > 2 and options.get(words[-2], ("-", ""))[0] != "-":
        _print_kinds(options[words[-2]][0], typed)
    else:
        kinds = options[ARGUMENT][0].split(" ")
        _print_kinds(kinds[min(_position(words[1:-1], options), len(kinds) - 1)], typed)


def _read_table() -> dict[str, Words]:
    table: dict[str, Words] = {}
    with open(f"{FOLDER}/words.tsv", encoding="utf-8") as file:
        for line in file:
            command, names, kinds, text = line.rstrip("\n").split("\t")
            for name in names.split(" "):
                table.setdefault(command, {})[name] = (kinds, text)
    return table


def _position(words: list[str], options: Words) -> int:
    """How many arguments stand before the word that is typed."""
    values = [word for word, before in zip(words, ["-", *words], strict=False) if options.get(before, ("-",))[0] == "-"]
    return sum(not word.startswith("-") for word in values)


def _print_kinds(kinds: str, typed: str, before: str = "") -> None:
    """`kinds` is one or more of stage, rev, remote, store, value, file, none, or words to choose from.

    They have `|` between them; a store is a remote of outputs.
    """
    for kind in kinds.split("|"):
        if kind == "stage":
            _print(typed, ((name, "") for name in _stages()), before)
        elif kind == "value":
            _print(typed, ((name, "") for name in _values(typed)), before)
        elif kind == "rev":
            _print_revisions(typed, before)
        elif kind in REMOTES:
            _print(typed, ((name, "") for name in _remotes(kind)), before)
        elif kind not in ("", "file", "none", "-"):
            _print(typed, [(kind, "")], before)


def _print(typed: str, found: Iterator[tuple[str, str]] | list[tuple[str, str]], before: str = "") -> None:
    sys.stdout.writelines(f"{before}{name}\t{text}\n" for name, text in found if name.startswith(typed))


def _stages() -> dict[str, list[str]]:
    git_dir = _git_dir(os.getcwd())
    return read_names(f"{git_dir}/pivot/cache") if git_dir else {}


def _values(typed: str) -> Iterator[str]:
    """The stages that have parameters, and the name that all variants share; of one that is typed, its parameters."""
    named: dict[str, list[str]] = {}
    for stage, params in _stages().items():
        named |= {stage.partition("@")[0]: params, stage: params}
    for stage, params in named.items():
        if typed.startswith(f"{stage}."):
            yield from (f"{stage}.{name}=" for name in params)
        elif params:
            yield f"{stage}."


def _remotes(kind: str) -> list[str]:
    with os.popen(REMOTES[kind]) as said:
        return sorted({line.rstrip("\n").removeprefix("pivot-remote.").removesuffix(".url") for line in said})


def _git_dir(folder: str) -> str | None:
    """The Git folder of the work tree that a folder is in; None for one of another user, whose files are not read."""
    while not os.path.exists(f"{folder}/.git"):
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)
    found = f"{folder}/.git"
    if not owned_by_me(folder, found):
        return None
    if os.path.isfile(found):
        with open(found, encoding="utf-8", errors="surrogateescape") as file:
            found = os.path.join(folder, file.read().removeprefix("gitdir: ").rstrip("\n"))
    return found if owned_by_me(found) else None


def _print_revisions(typed: str, before: str) -> None:
    """Branches, tags and remote branches; after `..` too."""
    start, dots, name = typed.rpartition("..")
    form = (before + start + dots).replace("%", "%%") + "%(refname:short)"
    patterns = [f"refs/{place}/{name}*{end}" for place in ("heads", "tags", "remotes") for end in ("", "/**")]
    _ask_git(["for-each-ref", f"--format={form}", *patterns])


def _ask_git(arguments: list[str]) -> None:
    """Let git print; what it complains of is not for somebody who presses TAB."""
    sys.stdout.flush()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        quiet = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 2)]
        os.waitpid(os.posix_spawnp("git", ["git", *arguments], os.environ, file_actions=quiet), 0)
    except OSError:
        return
    finally:
        os.close(null)
