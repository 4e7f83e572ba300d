"""A stage at the user's terminal: a prompt with its inputs loaded.

Run as `python -P -m pivot.worker.repl SETUP STAGE`, in the foreground. Nothing is saved or recorded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pivot.code.importing.open_pipeline import open_pipeline
from pivot.errors import PivotError, TargetError
from pivot.worker.protocol import Setup, encode
from pivot.worker.spawn import python_command, read_argument
from pivot.worker.user_traceback import format_exception


def debug_command(setup: Setup, stage: str) -> list[str]:
    """The program to run in the foreground, with the terminal as its input and output."""
    return python_command("pivot.worker.repl", encode(setup).hex(), stage)


def main(setup: Setup, stage: str) -> None:
    """Import the pipeline, load the stage's inputs, and hand over.

    Raises:
        PivotError: there is no such stage, or an input cannot be loaded.
    """
    os.chdir(Path(setup.root, setup.file).parent)
    _, stages = open_pipeline(Path(setup.root), setup.file, setup.given, outside=setup.outside)
    if stage not in stages:
        raise TargetError(f"there is no stage {stage} in {setup.file}")
    live = stages[stage]
    open_prompt(stage, live.function, live.load_inputs(Path.cwd()))


def open_prompt(stage: str, function: Any, inputs: dict[str, Any]) -> None:
    """A prompt with the inputs by name, and with the names of the stage's module."""
    import code
    import contextlib

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 (lines can be edited once it is imported)
    names = {**function.__globals__, **inputs, "inputs": inputs, "stage": function}
    listed = "".join(f"\n  {name}: {type(value).__name__}" for name, value in inputs.items())
    banner = f"{stage}: its inputs are loaded; stage(**inputs) runs it, without saving what it returns.{listed}"
    code.interact(banner=banner, local=names, exitmsg="")


if __name__ == "__main__":
    _, _setup_text, _stage = sys.argv
    _setup = read_argument(_setup_text, Setup)
    try:
        main(_setup, _stage)
    except PivotError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except Exception as error:
        sys.stderr.write(f"error: {_stage} cannot be opened\n{format_exception(error, _setup.root)}")
        sys.exit(2)
