"""The command line as a group of commands, each loaded only when it is called."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any

import click

from pivot.errors import PivotError

CLOSED = 141

COMMANDS = {
    "init": ("pivot.cli.init", "Prepare this clone: hooks, and results with `git fetch`."),
    "repro": ("pivot.cli.repro", "Run what a change reaches, and nothing else."),
    "watch": ("pivot.cli.watch", "Run what each save reaches, until Ctrl-C."),
    "status": ("pivot.cli.status", "Say what repro would do, and why."),
    "debug": ("pivot.cli.debug", "Open a prompt with the inputs of a stage loaded."),
    "logs": ("pivot.cli.logs", "Show what a stage printed when it ran last."),
    "dag": ("pivot.cli.dag", "Draw the stages and the paths between them."),
    "params": ("pivot.cli.params", "Show the values of parameters, and what differs."),
    "adopt": ("pivot.cli.outputs", "Let outputs made by hand count as a stage's result."),
    "accept": ("pivot.cli.accept", "Declare a change harmless: the old result counts for the new situation."),
    "clean": ("pivot.cli.outputs", "Remove outputs whose bytes are in the store."),
    "checkout": ("pivot.cli.store", "Bring outputs of a commit, or of the present code, into place."),
    "gc": ("pivot.cli.store", "Remove results that nothing needs any more, and their bytes."),
    "fsck": ("pivot.cli.store", "Read every byte of every result, and say what is lost."),
    "du": ("pivot.cli.store", "Say how many bytes the results of each stage take."),
    "saved": ("pivot.cli.outputs", "List edits that were put away before a path was replaced."),
    "show": ("pivot.cli.history", "Say what the stages stand on at a commit."),
    "log": ("pivot.cli.history", "List runs: when, who, how long, what had changed."),
    "diff": ("pivot.cli.diff", "Say which stages differ between commits, and why."),
    "blame": ("pivot.cli.diff", "Say which commit, stage and run produced the bytes at a path."),
    "fetch": ("pivot.cli.sync", "Bring results, and bytes of outputs into the store."),
    "pull": ("pivot.cli.sync", "Bring results, and outputs into their places."),
    "push": ("pivot.cli.sync", "Give outputs to their remote, and results to the Git remote."),
    "remote": ("pivot.cli.remote", "Say where outputs are shared."),
    "trust": ("pivot.cli.trust", "Let addresses of .pivotconfig count in this clone."),
    "verify": ("pivot.cli.verify", "Check that what commits claim to stand on is here and holds together."),
    "hooks": ("pivot.cli.hooks", "Let Git call Pivot: on switches, commits and pushes."),
    "completion": ("pivot.cli.completion", "Print what bash, zsh or fish reads to complete commands and stages."),
    "get": ("pivot.cli.outputs", "Write an output of a commit, or a saved edit, to a file."),
}


class OutputClosed(Exception):
    """Whoever read our output has gone (`git pivot status | head -1`)."""


class LazyGroup(click.Group):
    """Imports a command's module at its first use, so that one command does not pay for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), cmd_name)
        return _without_empty_values(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would turn it into exit code 1, which means that a stage failed.
            raise OutputClosed from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `git pivot {near[0]}`?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None


def _without_empty_values(command: click.Command) -> click.Command:
    """`git pivot clean "$STAGE"` with a variable that is not set must not mean every stage: no value may be empty."""
    for param in command.params:
        param.callback = param.callback or _refuse_empty
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _without_empty_values(below)
    return command


def _refuse_empty(_context: click.Context, param: click.Parameter, value: Any) -> Any:
    values = value if isinstance(value, tuple) else (value,)
    if any(isinstance(one, str) and not one.strip() for one in values):
        raise click.BadParameter("the text is empty; leave it out, or name something", param=param)
    return value


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="git-pivot", prog_name="git-pivot")
def app() -> None:
    """Git-native Python pipelines: change your code, Pivot knows what to run."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; user errors of Pivot pass through as `PivotError`."""
    try:
        result = app.main(list(arguments), prog_name="git pivot", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        return PivotError.exit_code
    except OutputClosed:
        # Leave as git does, which dies of SIGPIPE; nothing more can be said to anybody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return CLOSED
    except click.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0
