"""How a process ended, as a sentence."""

from __future__ import annotations

import os
import signal

from pivot.worker.protocol import FailureKind

_NOTES = {
    signal.SIGKILL: "the machine may be out of memory",
    signal.SIGSEGV: "a crash in compiled code",
    signal.SIGBUS: "a crash in compiled code, or a mapped file that was cut",
    signal.SIGABRT: "compiled code gave up",
    signal.SIGXCPU: "the limit of CPU time",
    signal.SIGXFSZ: "the limit of file size",
}


def explain_exit(status: int) -> tuple[FailureKind, str]:
    """What a wait status says about a stage that has not answered."""
    if os.WIFSIGNALED(status):
        return "signal", f"it was killed by {_signal_name(os.WTERMSIG(status))}"
    code = os.waitstatus_to_exitcode(status)
    return "exit", f"its process ended with exit code {code} (os._exit?) before the stage had returned"


def _signal_name(number: int) -> str:
    try:
        found = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    note = _NOTES.get(found)
    return f"{found.name}; {note}" if note else found.name


def explain_server_exit(file: str, code: int) -> str:
    """What is said when a code server ended before it had answered; `code` as `subprocess` gives it."""
    if code < 0:
        return f"{file}: the process that imported it was killed by {_signal_name(-code)}"
    return f"{file}: its import ended the process with exit code {code} (os._exit?)"
