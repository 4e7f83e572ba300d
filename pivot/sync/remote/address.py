"""Where a remote is: `ssh://[user@]host[:port]/path`, `host:path`, or a folder (a path, or `file://`)."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from pivot.errors import SettingError

_SCP = re.compile(r"(?:(?P<user>[^@/\s]+)@)?(?P<host>\[[0-9a-fA-F:.%]+\]|[^:/\s]+):(?P<path>.+)")


class Address(Struct, frozen=True):
    """`host` is empty for a folder of this machine; a relative `path` on a host begins at the user's home there."""

    url: str
    path: str
    host: str = ""
    user: str = ""
    port: int | None = None


def parse_address(url: str, root: Path) -> Address:
    """Read a URL; a relative folder is one below `root`.

    Raises:
        SettingError: it is none that a remote can have.
    """
    if not url or url.startswith("-") or any(ord(char) < 32 for char in url):
        raise _meaningless(url)
    if url.startswith("file://"):
        return Address(url, unquote(urlsplit(url).path))
    if url.startswith("ssh://"):
        return _ssh(url)
    if "://" in url:
        raise _meaningless(url)
    found = _SCP.fullmatch(url)
    if found and not url.startswith((".", "/", "~")):
        host, user = found["host"].strip("[]"), found["user"] or ""
        return Address(url, _checked(url, host, user, _home(found["path"])), host, user)
    return Address(url, str(root / Path(url).expanduser()))


def _ssh(url: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port, user, path = parts.hostname or "", parts.port, unquote(parts.username or ""), unquote(parts.path)
    except ValueError as error:
        raise _meaningless(url) from error
    if parts.password or parts.query or parts.fragment or path in ("", "/"):
        raise _meaningless(url)
    path = _home(path.removeprefix("/") if path.startswith("/~") else path)
    return Address(url, _checked(url, host, user, path), host, user, port)


def _home(path: str) -> str:
    return path.removeprefix("~/")


def _checked(url: str, host: str, user: str, path: str) -> str:
    """A name that begins with a dash would be an option of `ssh`."""
    if not host or not path or host.startswith("-") or user.startswith("-") or path.startswith("-"):
        raise _meaningless(url)
    return path


def _meaningless(url: str) -> SettingError:
    hint = "Write ssh://user@host/path, user@host:path, or the path of a folder."
    return SettingError(f"{url!r} is no address of a remote", hint=hint)
