"""Where the scripts `git-pivot` and `pivot` begin: errors become exit codes here, and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from pivot.errors import PivotError

BUG = 3
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        code = _run()
        sys.stdout.flush()
    except PivotError as error:
        _say(f"error: {error}")
        code = error.exit_code
    except KeyboardInterrupt:
        _say("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`git pivot status | head`): leave quietly, as git does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except Exception as error:
        _say(f"bug: {type(error).__name__}: {error}\n  The traceback is in {_log_bug()}")
        code = BUG
    sys.exit(code)


def _run() -> int:
    from pivot.cli.app import run

    return run(sys.argv[1:])


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _log_bug() -> Path:
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="git-pivot-bug-", suffix=".log")
    with os.fdopen(handle, "w") as file:
        file.write(traceback.format_exc())
    return Path(path)
