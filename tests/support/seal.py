"""The hermetic seal: nothing of the developer's machine reaches a test, and nothing of a test reaches the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GLOBAL_CONFIG = """\
[user]
\tname = Ada Tester
\temail = ada@example.com
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[tag]
\tgpgSign = false
[protocol "file"]
\tallow = always
[gc]
\tautoDetach = false
[maintenance]
\tauto = false
"""

# GIT_* from a hook or a rebase that started the suite would lead git to the developer's own repository.
STRAY_PREFIXES = ("GIT_", "PIVOT_", "XDG_", "SSH_", "LC_")
STRAY_NAMES = (
    "CI",
    "COLUMNS",
    "EDITOR",
    "EMAIL",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LINES",
    "NO_COLOR",
    "PAGER",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONSAFEPATH",
    "PYTHONWARNINGS",
    "VISUAL",
)


def seal_environment(monkeypatch: pytest.MonkeyPatch, home: Path, ceiling: Path) -> None:
    """Give the process an empty home, one Git identity and no variable that steers Git, Pivot or the terminal.

    Git looks for a repository no further up than `ceiling`.
    """
    for name in os.environ:
        if name.startswith(STRAY_PREFIXES) or name in STRAY_NAMES:
            monkeypatch.delenv(name)
    config = home / "gitconfig"
    config.write_text(GLOBAL_CONFIG)
    (home / "tmp").mkdir()
    sealed = {
        "HOME": home,
        "TMPDIR": home / "tmp",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "GIT_CONFIG_GLOBAL": config,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": ceiling,
        "GIT_TERMINAL_PROMPT": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }
    for name, value in sealed.items():
        monkeypatch.setenv(name, str(value))


class NetworkRefused(RuntimeError):
    """A test tried to reach something that is not this machine."""


def loopback_only(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    """Wrap `socket.connect` or `connect_ex` so that only loopback addresses and local sockets are reached."""

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise NetworkRefused(f"a test tried to connect to {address!r}; tests reach loopback only")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
