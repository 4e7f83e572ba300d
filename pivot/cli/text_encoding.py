"""UTF-8 for file names, the environment and what is printed, whatever the locale.

Git keeps names as bytes that are UTF-8 nearly always, and Python sources are UTF-8. In a locale such as `C` with
`PYTHONUTF8=0`, Python would read and write names as ASCII, so a stage could not open its own files.
"""

from __future__ import annotations

import codecs
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "PYTHONUTF8"
QUOTING = "pivot.quote"
"""The error handler of the standard streams."""


def require_utf8(arguments: Sequence[str]) -> None:
    """Start this process once more in UTF-8 mode if the locale says otherwise; its children inherit the mode."""
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get(VARIABLE) == "1":
        return
    os.environ[VARIABLE] = "1"
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *arguments[1:]])


def quote_undecodable() -> None:
    """Show bytes of names that are not UTF-8 as Git quotes them, `\\351`, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=QUOTING)


def _quote(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_quoted, error.object[error.start : error.end])), error.end


def _quoted(letter: str) -> str:
    is_byte = "\udc80" <= letter <= "\udcff"
    return f"\\{ord(letter) & 0xFF:03o}" if is_byte else letter.encode("ascii", "backslashreplace").decode()


codecs.register_error(QUOTING, _quote)
