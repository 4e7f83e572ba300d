"""The code objects of a project's modules, kept from one import to the next by the bytes that they were made from.

An edit reaches one module; compiling all the others again is a quarter of an analysis. Python's own `.pyc` is no help:
it is trusted by time and size, and stands among the user's files. Where: `<cache>/compiled/<digest of the pipeline
file's path>`, a dict of path and digest of the bytes to `marshal` of the code, which names the path.
"""

from __future__ import annotations

import marshal
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

import xxhash

from pivot.code.cache_file import name_of, read, write

Key = tuple[str, bytes]


class Compiled:
    """The code of modules; without a place, nothing is kept."""

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._made_by = ("pivot compiled 1", MAGIC_NUMBER, sys.version, sys.flags.optimize)
        self._kept = self._read()
        self._used: dict[Key, bytes] = {}

    @classmethod
    def of(cls, cache_dir: Path, root: Path, file: str) -> Compiled:
        """What the imports of a pipeline file (relative to `root`) have kept."""
        return cls(cache_dir / "compiled" / name_of(root, file))

    def code(self, path: str, data: bytes) -> CodeType:
        """The code of a module.

        Raises:
            SyntaxError, ValueError: `data` is no Python.
        """
        key = (path, xxhash.xxh3_128_digest(data))
        if (kept := self._kept.get(key)) is not None:
            self._used[key] = kept
            code: CodeType = marshal.loads(kept)
            return code
        code = compile(data, path, "exec", dont_inherit=True)
        if self._place is not None:
            self._used[key] = marshal.dumps(code)
        return code

    def keep(self) -> None:
        """Keep what has been asked for, and nothing else."""
        if self._place is not None and self._used.keys() != self._kept.keys():
            write(self._place, (self._made_by, self._used))

    def _read(self) -> dict[Key, bytes]:
        held = read(self._place) if self._place else None
        return held[1] if isinstance(held, tuple) and held[:1] == (self._made_by,) else {}
