"""Who runs: the author of Pivot's commits, as Git would name them, or a stand-in where Git would refuse."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Mapping

from pivot.git.odb.backend import Author
from pivot.git.plumbing.config import Settings

_RAW_DATE = re.compile(r"@?(\d+) ([+-])(\d\d)(\d\d)")
_CRUD = " \t\n.,:;<>\"\\'"


def identify(settings: Settings, env: Mapping[str, str]) -> Author:
    """The author of a commit made now; never fails, since a run must work where Git has no `user.name`.

    `GIT_AUTHOR_DATE` counts in Git's own form `<seconds> <zone>`; any other form is left unread.
    """
    name = env.get("GIT_AUTHOR_NAME") or settings.get("author.name") or settings.get("user.name")
    email = (
        env.get("GIT_AUTHOR_EMAIL") or settings.get("author.email") or settings.get("user.email") or env.get("EMAIL")
    )
    seconds, offset = _date(env.get("GIT_AUTHOR_DATE", ""))
    login = _login(env)
    return Author(_clean(name) or login, _clean(email) or f"{login}@{_host()}", seconds, offset)


def _date(text: str) -> tuple[int, int]:
    given = _RAW_DATE.fullmatch(text.strip())
    if given:
        minutes = int(given[3]) * 60 + int(given[4])
        return int(given[1]), -minutes if given[2] == "-" else minutes
    now = int(time.time())
    return now, time.localtime(now).tm_gmtoff // 60


def _login(env: Mapping[str, str]) -> str:
    return _clean(env.get("USER") or env.get("LOGNAME")) or f"user{os.getuid()}"


def _host() -> str:
    return _clean(socket.gethostname()) or "localhost"


def _clean(text: str | None) -> str:
    return (text or "").translate(dict.fromkeys(map(ord, "<>\n\0"))).strip(_CRUD)
