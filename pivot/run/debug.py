"""A stage at the user's terminal: its inputs loaded, in a prompt, or run up to where it fails, in the debugger.

Run as `python -P -m pivot.run.debug SETUP STAGE MODE`, in the foreground. Nothing is saved or recorded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pivot.code.analysis import analyse
from pivot.errors import PivotError, TargetError
from pivot.run.failure import format_exception
from pivot.run.protocol import Setup, encode
from pivot.run.spawned import python_command, read_argument

Mode = Literal["prompt", "post-mortem"]
_PACKAGE = str(Path(__file__).parent.parent)


def debug_command(setup: Setup, stage: str, mode: Mode) -> list[str]:
    """The program to run in the foreground, with the terminal as its input and output."""
    return python_command("pivot.run.debug", encode(setup).hex(), stage, mode)


def main(setup: Setup, stage: str, mode: Mode) -> int:
    """Import the pipeline, load the stage's inputs, and hand over; 0 when the stage did not fail."""
    os.chdir(Path(setup.root, setup.file).parent)
    analysis = analyse(Path(setup.root), setup.file, setup.given)
    if stage not in analysis.live:
        raise TargetError(f"there is no stage {stage} in {setup.file}")
    live = analysis.live[stage]
    folder = Path.cwd()
    inputs = live.load_inputs(folder)
    if mode == "prompt":
        open_prompt(stage, live.function, inputs)
        return 0
    live.prepare_outputs(folder)
    return run_to_failure(live.function, inputs, setup.root)


def open_prompt(stage: str, function: Any, inputs: dict[str, Any]) -> None:
    """A prompt with the inputs by name, and with the names of the stage's module."""
    import code

    names = {**function.__globals__, **inputs, "inputs": inputs, "stage": function}
    listed = "".join(f"\n  {name}: {type(value).__name__}" for name, value in inputs.items())
    banner = f"{stage}: its inputs are loaded; stage(**inputs) runs it, without saving its outputs.{listed}"
    code.interact(banner=banner, local=names, exitmsg="")


def run_to_failure(function: Any, inputs: dict[str, Any], root: str) -> int:
    """Call the function; when it raises, open the debugger where it did."""
    import pdb

    try:
        function(**inputs)
    except Exception as error:
        sys.stderr.write(format_exception(error, root))
        trace = error.__traceback__
        while trace is not None and trace.tb_next and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            trace = trace.tb_next
        pdb.post_mortem(trace)
        return 1
    return 0


if __name__ == "__main__":
    _, _setup, _stage, _mode = sys.argv
    try:
        sys.exit(main(read_argument(_setup, Setup), _stage, "prompt" if _mode == "prompt" else "post-mortem"))
    except PivotError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
