"""The manifest: all code that a stage reaches, as plain frozen data.

An entry's own `digest` covers its normalised syntax or its encoded value. What its free names resolve to is not in
that digest but in `edges`, so that the graph as a whole, and not the names of modules or files, says what code it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import xxhash
from msgspec import Struct

from pivot.canonical import plain_json


class Entry(Struct, frozen=True):
    """A function, class, constant or module that a stage reaches.

    `name` is for display: `func:normalize`, `class:Model`, `const:LIMIT`, `module:plugins`; the qualified name is
    used where two entries of one manifest would share a name. `digest` is 32 hex digits. `edges` are pairs of a
    label and the index of the entry that a reference resolves to, in the order of the references in the source: the
    label is the place in that order, or says what declares the reference (`loader:raw`, `params`, `import:<path>`).
    `source` is the entry's source text for `--diff`, empty for values computed at import.
    """

    name: str
    digest: str
    file: str
    line: int
    edges: tuple[tuple[str, int], ...] = ()
    source: str = ""


class Remark(Struct, frozen=True):
    """Something the analysis wants said once.

    `kind` is `coarse` (a coarser digest was used), `untracked`, `unused` (a file from which nothing is taken), or
    `outside` (code outside the repository).
    """

    kind: str
    name: str
    file: str
    line: int
    why: str
    mend: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """Entries in order of first reach (index 0 is the stage's function), and what could not be told precisely.

    `passing` are files of modules that the stage imports and that do nothing then but define names: they have no
    entry of their own.
    """

    entries: tuple[Entry, ...]
    remarks: tuple[Remark, ...] = ()
    passing: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        """Equal content is equal, also where one of the two was read from the cache and is a subclass."""
        if not isinstance(other, Manifest):
            return NotImplemented
        mine, others = (self.entries, self.remarks, self.passing), (other.entries, other.remarks, other.passing)
        return mine == others

    def __hash__(self) -> int:
        return hash((self.entries, self.remarks))

    def graph(self) -> dict[str, Any]:
        """The part that is fingerprinted and recorded: digests and edges, no names."""
        return {
            "nodes": [entry.digest for entry in self.entries],
            "edges": [[list(edge) for edge in entry.edges] for entry in self.entries],
        }

    def digest(self) -> str:
        return xxhash.xxh3_128_hexdigest(plain_json(self.graph()))
