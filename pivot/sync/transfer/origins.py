"""Which Git remotes the clones that push to a remote have: what a clean-up there must ask before it removes anything.

Where: `<store>/origins/<16 hex>`, a file for each, named by the start of its SHA-256: the URL without user
and password. A clone without a Git remote stands for itself, as `file://<machine>/<its Git folder>`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pivot.git.plumbing.config import Settings
from pivot.git.plumbing.locate import RepositoryLocation

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+|\[[^\]]+\]):(?P<path>.+)")


def origins_of(location: RepositoryLocation, settings: Settings) -> tuple[str, ...]:
    """The Git remotes of a repository, as a store keeps them; itself where it has none."""
    urls = [settings.get(f"remote.{name}.url") for name in settings.subsections("remote")]
    found = {as_origin(url, location.folder) for url in urls if url}
    return tuple(sorted(found)) or (as_origin(str(location.common_dir), location.folder),)


def as_origin(url: str, root: Path) -> str:
    """A Git URL without what is a user's own; a path with the machine on which it means something."""
    parts = urlsplit(url) if "://" in url else None
    if parts and parts.scheme != "file":
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{quote(unquote(parts.path))}"
    found = None if parts or url.startswith((".", "/", "~")) else _SCP.fullmatch(url)
    if found:
        return f"ssh://{found['host']}/{quote(found['path'].lstrip('/'))}"
    if parts and parts.netloc not in ("", "localhost", os.uname().nodename):
        return url
    path = unquote(parts.path) if parts else url
    return f"file://{os.uname().nodename}{quote(str((root / Path(path).expanduser()).resolve()))}"


def same_place(origin: str) -> str:
    """What two origins have in common that lead to one repository by different protocols."""
    parts = urlsplit(origin)
    host = (parts.netloc if parts.scheme == "file" else parts.hostname or "").lower()
    return f"{host}/{parts.path.strip('/').removesuffix('.git')}"


def as_git_url(origin: str) -> str | None:
    """What Git can fetch from here; None for a path on another machine."""
    parts = urlsplit(origin)
    if parts.scheme != "file":
        return origin
    return unquote(parts.path) if parts.netloc == os.uname().nodename else None
