"""Which environment variables are evidence: not Pivot's own, not those of the shell, the terminal or the session.

Imported before everything else, so it imports next to nothing itself.
"""

from __future__ import annotations

import os
import zlib

WHOLE = "*"
"""Stands for a read of all variables; its value is a digest of those that are evidence."""
_NEVER = frozenset(
    (
        "_",
        "COLORTERM",
        "COLUMNS",
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "GPG_AGENT_INFO",
        "GPG_TTY",
        "INVOCATION_ID",
        "ITERM_SESSION_ID",
        "JOURNAL_STREAM",
        "LINES",
        "LS_COLORS",
        "OLDPWD",
        "PROMPT_COMMAND",
        "PS1",
        "PWD",
        "SECURITYSESSIONID",
        "SHLVL",
        "SSH_AGENT_PID",
        "SSH_AUTH_SOCK",
        "SSH_CLIENT",
        "SSH_CONNECTION",
        "SSH_TTY",
        "STY",
        "TERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TERM_SESSION_ID",
        "TMUX",
        "TMUX_PANE",
        "VTE_VERSION",
        "WAYLAND_DISPLAY",
        "WINDOW",
        "WINDOWID",
        "XAUTHORITY",
        "XPC_FLAGS",
        "XPC_SERVICE_NAME",
        "__CF_USER_TEXT_ENCODING",
    )
)
_NEVER_BEGINS = ("GIT_", "GNOME_TERMINAL_", "KITTY_", "KONSOLE_", "VSCODE_", "WEZTERM_", "XDG_SESSION_")


def is_evidence(name: str) -> bool:
    """Git sets variables of its own for the commands and hooks that it starts, and so does Pivot (`GIT_PIVOT_`)."""
    return name not in _NEVER and not name.startswith(_NEVER_BEGINS)


def value_of(name: str) -> str | None:
    """What a variable that was read is now."""
    return os.environ.get(name) if name != WHOLE else digest_of_environment(dict(os.environ))


def digest_of_environment(variables: dict[str, str]) -> str:
    """Changes when a variable that is evidence is set, unset or changed; two checksums, since no hash is loaded yet."""
    counted = sorted((name, value) for name, value in variables.items() if is_evidence(name))
    data = repr(counted).encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}{len(data)}"
