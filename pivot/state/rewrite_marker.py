"""The epoch: which commits of a shared ref a commit without parents stands for, so that other clones can follow it.

Where: the file `epoch` at the top of the ref's tree. Version 1: a line `pivot epoch 1`, then the first 12 hex digits of
the id of each replaced commit, the newest first, one a line; at most 50,000.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pivot.errors import UnknownVersion

FILE = "epoch"
VERSION = 1
MOST = 50_000  # commits; what is older than that is united as if nothing were known of it

_HEAD = f"pivot epoch {VERSION}"
_SHORT = re.compile(r"[0-9a-f]{12}")


def shorten(commit: str) -> str:
    return commit[:12]


def format_epoch(replaced: Iterable[str]) -> bytes:
    """The file for these commits, the newest first, each once."""
    lines = list(dict.fromkeys(map(shorten, replaced)))[:MOST]
    return "".join(f"{line}\n" for line in [_HEAD, *lines]).encode()


def parse_epoch(data: bytes) -> list[str]:
    """The replaced commits, shortened; what is no such line is left out.

    Raises:
        UnknownVersion: a newer Pivot wrote it.
    """
    head, *lines = data.decode("ascii", "replace").split("\n")
    if head != _HEAD:
        raise UnknownVersion(f"the epoch of the run history is {head[:40]!r}", hint="Install a newer git-pivot.")
    return [line for line in lines if _SHORT.fullmatch(line)]
