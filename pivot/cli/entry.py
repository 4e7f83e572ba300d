"""Where the scripts `git-pivot` and `pivot` begin: errors become exit codes here, and nowhere else."""

from __future__ import annotations

import errno
import os
import sys
import time

from pivot.cli.text_encoding import quote_undecodable, require_utf8
from pivot.errors import WHEN_REFUSED, PivotError
from pivot.noop.cache import ELAPSED, answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_TEMPORARY = "Make room in one of these folders, or set the variable TMPDIR to another one."
_PERMISSION = "Ask whoever owns it for permission, and give the command again."
_AWAY = "The disk or the share that it is on does not answer as it should."
_REFUSALS = {
    **WHEN_REFUSED,
    **dict.fromkeys((errno.EACCES, errno.EPERM), _PERMISSION),
    **dict.fromkeys((errno.EIO, errno.ESTALE), _AWAY),
}
_WITHOUT_A_NAME = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # these are the system's, whatever was written
BUG = 3
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    require_utf8(sys.orig_argv)
    quote_undecodable()
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 141
    except Exception as error:
        code = _give_up(error)
    except BaseException as error:
        # `Terminated`, whose module is not imported where nothing is to be done.
        if not hasattr(error, "exit_code"):
            raise
        code = int(error.exit_code)
        _say(f"ended by {error}")
    sys.exit(code)


def _give_up(error: Exception) -> int:
    """An error that nobody below has turned into a sentence: what the system refuses is none of ours, else a bug."""
    advice = _REFUSALS.get(error.errno or 0) if isinstance(error, OSError) else None
    if isinstance(error, OSError) and advice and (error.filename or error.errno in _WITHOUT_A_NAME):
        where = f"{error.filename}: " if error.filename else ""
        _say(f"error: {where}{error.strerror}\n  {advice}")
        return PivotError.exit_code
    if isinstance(error, FileNotFoundError) and str(error.strerror).startswith("No usable temporary directory"):
        _say(f"error: {error.strerror}\n  {_TEMPORARY}")
        return PivotError.exit_code
    _say(f"bug: {type(error).__name__}: {error}\n  The traceback is in {_log_bug()}")
    return BUG


def _run() -> int:
    command = _remembered(sys.argv[1:])
    if command and _answered(command):
        return 0
    if sys.argv[1:2] == ["hook"]:
        from pivot.hooks.entry import run_hook  # which ends in order from where there is something to do

        return run_hook(sys.argv[2:])
    if sys.argv[1:2] == ["__complete"]:
        from pivot.cli.completion_candidates import complete

        complete(sys.argv[2:])
        return 0
    if sys.argv[1:2] == ["__analyse"]:
        from pivot.operations.commit_analysis import answer_analysis

        return answer_analysis()
    from pivot.cli.app import run
    from pivot.worker.interrupts import end_in_order

    end_in_order()
    return run(sys.argv[1:])


def _remembered(arguments: list[str]) -> str:
    """The command whose answer may be known; with nothing to do there are only totals, so --quiet says the same."""
    return arguments[0] if len(arguments) == 1 or arguments in (["repro", "-q"], ["repro", "--quiet"]) else ""


def _answered(command: str) -> bool:
    """Say again what was said when there was nothing to do, if all that it stood on still stands."""
    began = time.perf_counter()
    told = answer(command, os.getcwd())
    if told is None:
        return False
    sys.stderr.write(told[1])
    sys.stdout.write(told[0].replace(ELAPSED, f"{time.perf_counter() - began:.2f} s"))
    return True


def _say(text: str) -> None:
    """It may hold what the user's code said when it was imported."""
    from pivot.reports.ansi import readable

    sys.stderr.write(readable(text, colour=False) + "\n")


def _log_bug() -> str:
    import tempfile
    import traceback

    text = traceback.format_exc()
    try:
        handle, path = tempfile.mkstemp(prefix="git-pivot-bug-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        return f"no file, because none can be written ({error.strerror}):\n{text}"
    return path
