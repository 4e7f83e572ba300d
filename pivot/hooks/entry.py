"""Where a hook begins: `git-pivot hook NAME ARGUMENTS`, called by the script that `git pivot hooks install` writes.

A hook tells its result by its exit code: 0, or `STOP` where a push is to be stopped. Any other code is an accident: the
script lets none of them stand in the user's way, and refuses a push to a server that was to be checked. Python itself
ends with 1 when an import fails, so `STOP` is not 1.

This module imports next to nothing: after most switches of branches there is nothing to do.
"""

from __future__ import annotations

import os
import sys

from pivot.errors import PivotError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STOP = 10
_LONGEST = 2000  # characters of a line


def run_hook(arguments: Sequence[str]) -> int:
    """Do what the hook of this name does, with the arguments that Git gave it; an error of the user's is one line."""
    try:
        return _run(*(arguments or [""]))
    except PivotError as error:
        say(["; ".join(filter(None, [error.what.replace("\n", " "), error.where, error.hint]))])
        return error.exit_code
    except ImportError as error:  # another Python than the one that it was installed for, or half of it is gone
        say([f"git-pivot is not whole ({error}), its hooks do nothing; install it again"])
        return 2


def _run(name: str, *arguments: str) -> int:
    given = list(arguments)
    if name in ("pre-receive", "post-receive"):  # a server's: who pushes does not turn them off
        return _receive(name, given)
    if os.environ.get("GIT_PIVOT_HOOKS") == "0":
        return 0
    if name == "post-checkout" and given:
        return _post_checkout(given)
    lines = _read_lines() if name in ("post-rewrite", "pre-push") else []
    if not given and "PRE_COMMIT" in os.environ:
        from pivot.hooks.pre_commit_framework import told_by_framework

        given, lines = told_by_framework(name)
    if name == "post-checkout":
        return _post_checkout(given)
    if name in ("post-commit", "post-merge", "post-rewrite"):
        return _after_commit(name, given, lines)
    if name == "pre-push":
        return _pre_push(given, lines)
    say([f"there is no hook {name!r} for Pivot to answer"])
    return 2


def _end_in_order() -> None:
    """From here on there is something to close when the hook is ended."""
    from pivot.worker.interrupts import end_in_order

    end_in_order()


def say(lines: Iterable[str]) -> None:
    """One line each on standard error, where Git shows what hooks say.

    Names that others have pushed neither end a line nor steer a terminal, nor the log of a CI service.
    """
    from pivot.git.plumbing.quoting import one_line

    sys.stderr.write("".join(f"pivot: {one_line(line, _LONGEST)}\n" for line in lines))


def _read_lines() -> list[str]:
    """What Git writes to a hook. A ref may have bytes that are no text, and characters that Python ends lines at."""
    return [line for line in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n") if line]


def _post_checkout(given: list[str]) -> int:
    from pivot.noop.checkout_check import nothing_to_do

    if len(given) != 3 or given[2] != "1" or given[0] == given[1] or not given[1].strip("0"):
        return 0  # `switch --orphan` ends at no commit
    if nothing_to_do(given[1]):
        return 0
    from pivot.hooks.hook_repository import hook_location
    from pivot.hooks.post_checkout import follow

    _end_in_order()
    say(follow(hook_location(), given[0], given[1]))
    return 0


def _after_commit(name: str, given: list[str], rewritten: list[str]) -> int:
    from pivot.hooks.hook_repository import hook_location
    from pivot.hooks.post_commit import after_commit

    _end_in_order()
    say(after_commit(hook_location(), name, given, rewritten))
    return 0


def _receive(name: str, given: list[str]) -> int:
    _end_in_order()
    lines = _read_lines()
    from pivot.hooks.hook_repository import server_location

    if name == "post-receive":
        from pivot.hooks.post_receive import DETACHED, after_receive

        for line in after_receive(server_location(), lines, detached=given == [DETACHED]):
            _go_on_saying(line)
        return 0
    from pivot.hooks.pre_receive import before_receive

    stop, said = before_receive(server_location(), lines)
    say(said)
    return STOP if stop else 0


def _go_on_saying(line: str) -> None:
    """Who pushed may have gone; what is being run for everybody goes on."""
    try:
        say([line])
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _pre_push(given: list[str], pushed: list[str]) -> int:
    if not given or not pushed:
        return 0
    from pivot.hooks.hook_repository import hook_location
    from pivot.hooks.pre_push import before_push

    _end_in_order()
    stop, lines = before_push(hook_location(), given[0], pushed, lambda line: say([line]))
    say(lines)
    return STOP if stop else 0
