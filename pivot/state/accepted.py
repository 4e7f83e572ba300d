"""Accepted changes: "this new fingerprint counts as that old one", in `refs/pivot/accepted`, shared like the run cache.

    <2 hex>/<30 hex>    canonical JSON: `version`, `stage`, `fingerprint` and `result` (of the record that counts),
                        `who`, `when` (UTC, ISO 8601), `why`

An entry is revoked by a commit that takes it out; the history of the ref tells who did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import RecordError, UnknownVersion, UnreadableObject
from pivot.git.odb.backend import TREE, Author, Backend
from pivot.git.odb.trees import SmallerBlob, Trees, add_files
from pivot.git.plumbing.names import is_stage_name
from pivot.state.shared_ref import SharedRef

REF = "refs/pivot/accepted"
TRACKING = "accepted"
VERSION = 1

_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_RESULT = re.compile(r"[0-9a-f]{12}")
_TOP = re.compile(r"[0-9a-f]{2}|epoch")
_MOST = 1 << 20  # bytes of a blob
_WITHDRAW = "Run `git log refs/pivot/accepted` to see who wrote it, and `git pivot fetch` for a newer state."


class Acceptance(Struct, frozen=True):
    """The situation `new` counts as the one of the record `fingerprint`, `result`."""

    new: str
    stage: str
    fingerprint: str
    result: str
    who: str
    when: str
    why: str

    def to_bytes(self) -> bytes:
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "new"}
        return canonical_json({"version": VERSION, **fields})


class Accepted:
    """Reads the local ref and what was fetched; `refresh` looks at the refs again."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._trees = Trees(backend)
        self._history = SharedRef(backend, REF, (TRACKING, _TOP), self._trees)
        self._roots: list[str] | None = None

    def refresh(self) -> None:
        """Look at the refs again before the next look-up."""
        self._roots = None

    def find(self, new: str) -> Acceptance | None:
        """What a fingerprint was accepted as.

        Raises:
            RecordError: the entry is damaged or of a newer version.
        """
        path = f"{new[:2]}/{new[2:]}"
        found = [entry.oid for root in self._tips() if (entry := self._trees.at(root, path)) and entry.mode != TREE]
        return self._read(new, min(found)) if found else None

    def all(self) -> list[Acceptance]:
        """Every entry, by stage and time."""
        found = {new: self._read(new, oid) for root in self._tips() for new, oid in self._entries(root)}
        return sorted(found.values(), key=lambda one: (one.stage, one.when, one.new))

    def add(self, acceptance: Acceptance, author: Author) -> None:
        """Raises `GitError` where the ref cannot be written."""
        self._history.absorb_tracked(SmallerBlob(), author)
        self._write(acceptance.new, acceptance.to_bytes(), f"accept {acceptance.stage}: {acceptance.why}", author)

    def revoke(self, acceptance: Acceptance, author: Author) -> None:
        """Take an entry out. Raises `GitError` where the ref cannot be written."""
        self._history.absorb_tracked(SmallerBlob(), author)
        self._write(acceptance.new, None, f"revoke {acceptance.stage}: {acceptance.why}", author)

    def absorb(self, tip: str, author: Author) -> str:
        """Unite with a tip that was fetched, so that the local one can be pushed onto it; gives the new local tip."""
        self.refresh()
        return self._history.absorb(tip, SmallerBlob(), author)

    def _tips(self) -> list[str]:
        if self._roots is None:
            self._roots = self._history.trees()
        return self._roots

    def _entries(self, root: str) -> Iterator[tuple[str, str]]:
        for start, folder in self._trees.entries(root).items():
            for rest, entry in self._trees.entries(folder.oid).items() if folder.mode == TREE else ():
                if entry.mode != TREE and _FINGERPRINT.fullmatch(start + rest):
                    yield start + rest, entry.oid

    def _read(self, new: str, oid: str) -> Acceptance:
        try:
            data = self._trees.blob(oid, _MOST)
        except UnreadableObject as error:
            raise RecordError(f"the acceptance of {new[:12]} cannot be read: {error.what}", hint=_WITHDRAW) from error
        return _parse(new, data)

    def _write(self, new: str, content: bytes | None, message: str, author: Author) -> None:
        path = f"{new[:2]}/{new[2:]}"

        def change(tree: str | None) -> str:
            return add_files(self._trees, tree, {path: content}) or self._backend.write_tree([])

        self._history.commit(change, message, author)
        self.refresh()


class _Shape(Struct):
    """The blob of an acceptance."""

    stage: str
    fingerprint: str
    result: str
    who: str
    when: str
    why: str


def _parse(new: str, data: bytes) -> Acceptance:
    try:
        value = parse_canonical(data)
        version = value["version"]
        shape = msgspec.convert(value, _Shape) if version == VERSION else None
    except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise RecordError(f"the acceptance of {new[:12]} cannot be read: {error}", hint=_WITHDRAW) from error
    if shape is None:
        raise UnknownVersion(f"the acceptance of {new[:12]} has version {version}", hint="Install a newer git-pivot.")
    names_record = _FINGERPRINT.fullmatch(shape.fingerprint) and _RESULT.fullmatch(shape.result)
    if not names_record or not is_stage_name(shape.stage):
        raise RecordError(f"the acceptance of {new[:12]} names no record of a stage", hint=_WITHDRAW)
    return Acceptance(new, shape.stage, shape.fingerprint, shape.result, shape.who, shape.when, shape.why)
