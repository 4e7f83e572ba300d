"""What is named wrongly, or not at all, is an error with a question or a next command; it never means everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pivot.cli.app import COMMANDS, app
from tests.support.examples import DATA, HELPER
from tests.support.repository import Repo
from tests.support.stories import ran


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository in which two stages have run; a Git remote without results."""
    made = Repo.init(tmp_path_factory.mktemp("targets") / "project")
    made.write("data.json", DATA)
    made.write("pipeline.py", HELPER)
    made.commit("the example")
    ran(made)
    return made


def _texts() -> Iterator[tuple[str, ...]]:
    """Every command with an empty text for each of its arguments and options that take one."""
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        below = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        for own, one in below:
            yield from (tuple(filter(None, (name, own))) + words for words in (_empty_words(one) if one else ()))


def _empty_words(command: click.Command) -> Iterator[tuple[str, ...]]:
    arguments: list[click.Parameter] = [one for one in command.params if isinstance(one, click.Argument)]
    for param in command.params:
        if not isinstance(param.type, click.types.StringParamType):
            continue
        if isinstance(param, click.Option):
            yield (param.opts[-1], "")
        else:
            before = [
                one.type.choices[0] if isinstance(one.type, click.Choice) else "x"
                for one in arguments[: arguments.index(param)]
            ]
            yield (*before, "")


@pytest.mark.parametrize("words", list(_texts()), ids=" ".join)
def test_an_empty_text_is_refused_by_every_command(done: Repo, words: tuple[str, ...]) -> None:
    said = done.pivot(*words).expect(2).err
    assert "empty" in said
    assert done.exists("processed.json")


@pytest.mark.parametrize(
    "words",
    [("repro", "proces"), ("status", "proces"), ("log", "proces"), ("accept", "proces", "-m", "why"),
     ("accept", "proces", "--revoke"), ("adopt", "proces", "-m", "why"), ("logs", "proces"), ("debug", "proces"),
     ("clean", "proces"), ("dag", "proces"), ("params", "show", "proces"), ("watch", "proces")],
    ids=" ".join,
)  # fmt: skip
def test_a_slip_in_the_name_of_a_stage_asks_for_the_closest(done: Repo, words: tuple[str, ...]) -> None:
    assert "Did you mean process?" in done.pivot(*words).expect(2).err


@pytest.mark.parametrize("date", ["nonsense", "all", "false", "-"])
def test_a_date_that_git_does_not_understand_is_refused(done: Repo, date: str) -> None:
    assert f"--since: {date} is not a date" in done.pivot("log", f"--since={date}").expect(2).err


@pytest.mark.parametrize(
    ("date", "runs"), [("1.hour", 2), ("yesterday", 2), ("never", 2), ("2001-01-01", 2), ("now", 0)]
)
def test_dates_in_the_forms_of_git_are_taken(done: Repo, date: str, runs: int) -> None:
    found = done.pivot("log", f"--since={date}", "--json").expect(0).json()["runs"]
    assert len(found) == runs or date == "now"


@pytest.mark.parametrize("verb", ["push", "pull", "fetch"])
@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--rev", "HEAD"), ("--all",), ("process", "--dry-run")])
def test_moving_results_without_any_remote_is_an_error(done: Repo, verb: str, options: tuple[str, ...]) -> None:
    said = done.pivot(verb, *options).expect(2).err
    assert "git remote add origin URL" in said or "git pivot remote add" in said


def test_a_dry_run_says_which_results_would_move(done: Repo, tmp_path: Path) -> None:
    server = done.clone(tmp_path / "server.git", "--bare")
    one = server.clone(tmp_path / "one")
    ran(one)
    assert "origin: would push: runs, notes" in one.pivot("push", "--dry-run").expect(0).out
    assert not server.git("for-each-ref", "refs/pivot")
    one.pivot("push").expect(0)
    assert "origin: nothing new" in one.pivot("push", "-n").expect(0).out
    two = server.clone(tmp_path / "two")
    assert "origin: would fetch: runs, notes" in two.pivot("pull", "-n").expect(0).out
    assert not two.git("for-each-ref", "refs/pivot-remotes")
