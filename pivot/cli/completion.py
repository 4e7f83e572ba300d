"""`git pivot completion`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.completion_candidates import FOLDER

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print what a shell reads to complete commands, options, stages, revisions and remotes, also after `git pivot`.

    Put `eval "$(git pivot completion bash)"` into ~/.bashrc, the same with zsh into ~/.zshrc (after compinit), and `git
    pivot completion fish | source` into ~/.config/fish/config.fish.
    """
    click.echo((Path(FOLDER) / f"git-pivot.{shell}").read_text(encoding="utf-8"), nl=False)
    return 0
