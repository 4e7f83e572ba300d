"""The debugger in the process of a stage that has raised: the very frames, with what they held."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = str(Path(__file__).parent.parent)
_STANDARD = (0, 1, 2)


def open_debugger(error: BaseException, terminal: str) -> None:
    """Let the user look around at a terminal; returns when they leave the debugger.

    The process stays in its session, so that Ctrl-C goes to the command: once ends the run after this stage, twice now.
    """
    import pdb
    import traceback

    _take_terminal(terminal)
    trace = error.__traceback__
    while trace is not None and trace.tb_next and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
    pdb.post_mortem(trace)
    sys.stdout.flush()


def _take_terminal(terminal: str) -> None:
    """Make it the standard streams, by number too: `input` edits lines only there."""
    descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    for standard in _STANDARD:
        os.dup2(descriptor, standard)
    os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
