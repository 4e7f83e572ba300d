"""Files that are kept from one analysis to the next: deletable at any time, whole or not there.

Format: 16 bytes xxh3_128 of the rest, then `marshal`, which needs no import; another Python is another analysis anyway.
The digest tells damage, not malice: the folder is the user's. Whatever cannot be read is not there.
"""

from __future__ import annotations

import marshal
import os
import sys
from pathlib import Path
from typing import Any

import xxhash

from pivot.files import write_atomic


def name_of(root: Path, file: str) -> str:
    """How to name what is kept for a pipeline file (relative to `root`).

    By the work tree too: what is kept names absolute paths, and a copy of the repository has others.
    """
    return xxhash.xxh3_128_hexdigest(f"{root}\0{file}".encode("utf-8", "surrogateescape"))


def write(path: Path, value: Any) -> None:
    """Put a value that `marshal` takes in place; a folder that cannot be written costs time, nothing else."""
    data = marshal.dumps(value)
    try:
        write_atomic(path, xxhash.xxh3_128_digest(data) + data)
    except OSError as error:
        trace(f"{path.parent.name}: not kept: {error}")


def read(path: Path) -> Any:
    """What `write` was given; None when it is not there or damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < 16 or xxhash.xxh3_128_digest(data[16:]) != data[:16]:
        return None
    try:
        return marshal.loads(data[16:])
    except (ValueError, EOFError, TypeError, MemoryError):
        return None


def trace(text: str) -> None:
    """Tell a developer, on stderr, when `GIT_PIVOT_TRACE` is set."""
    if os.environ.get("GIT_PIVOT_TRACE", "0") not in ("", "0"):
        sys.stderr.write(f"pivot: {text}\n")
