"""Descriptors and what is to be done when there is something to read: the loop that a command turns."""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable


class Readiness:
    """A call that returns true says that whoever waits is to look up."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._wakeup = os.pipe()
        for descriptor in (self._wake, self._wakeup):
            os.set_blocking(descriptor, False)
        self.watch(self._wake, self._clear_wake)

    def watch(self, descriptor: int, call: Callable[[], object]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def unwatch(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)

    def turn(self, timeout: float | None) -> bool:
        """One round; whether somebody is to look up."""
        woken = False
        for key, _ in self._selector.select(timeout):
            if key.fileobj in self._selector.get_map():  # an earlier one of this round may have taken it away
                woken |= bool(key.data())
        return woken

    def wake(self) -> None:
        """Make a round that waits end now; may be called from a signal handler and from another thread."""
        with contextlib.suppress(BlockingIOError):  # full: it will wake
            os.write(self._wakeup, b"w")

    def close(self) -> None:
        self._selector.close()
        for descriptor in (self._wake, self._wakeup):
            os.close(descriptor)

    def _clear_wake(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 1024)
        return True
