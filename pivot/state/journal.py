"""The journal: finished stages on disk at once, until a commit on `refs/pivot/runs` holds them.

Where: `<pivot_dir>/journal`. Version 1: one line a stage, 16 hex digits of xxh3_64 over the rest, a space, canonical
JSON. A line that a crash tore is skipped; a line of a newer version is kept for the Pivot that wrote it. Outputs that
are not in the store yet stand in it too, so that one sync of the disk keeps a small stage.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec
import xxhash
from msgspec import Struct

from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import GitError, RecordError, UnknownVersion
from pivot.files import write_all, write_atomic
from pivot.state.records import Info, Record, parse_info, parse_record

VERSION = 1


class Reach(Struct, frozen=True):
    """Project modules that runs of one static fingerprint imported beyond its manifest, by dotted name or path."""

    static_fingerprint: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """A stage that has run: its record, what is said about the run, and the source text of its entries by digest.

    `files` are the bytes of outputs that the store has to take in before the record is of use, by object id. `line` is
    its line in the journal, where it stands there already.
    """

    stage: str
    record: Record
    info: Info
    sources: Mapping[str, str] = field(default_factory=dict)
    reach: Reach | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    line: bytes = field(default=b"", compare=False, repr=False)

    @cached_property
    def record_bytes(self) -> bytes:
        """The blob of the record: the journal and the run cache both want it."""
        return self.record.to_bytes()

    @cached_property
    def info_bytes(self) -> bytes:
        """The blob of the info."""
        return self.info.to_bytes()

    def with_line(self, line: bytes) -> Finished:
        """The same, once it stands in the journal."""
        written = copy(self)
        written.__dict__["line"] = line
        return written


class Journal:
    """Safe for several processes at once; a line is on disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """Whether anything is in it; costs one `stat`."""
        try:
            return self._path.stat().st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False

    def append(self, finished: Finished) -> Finished:
        """Put a stage on disk; the same with its line. Raises `GitError` where the journal cannot be written."""
        line = format_line(finished)
        with _write_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._path) as descriptor:
                write_all(descriptor, b"".join([b"" if _ends_whole(descriptor) else b"\n", line, b"\n"]))
                os.fsync(descriptor)
        return finished.with_line(line)

    def pending(self, known: Iterable[Finished] = ()) -> list[Finished]:
        """What is not yet known to be flushed, in the order of writing, each once; damaged lines are left out.

        The lines of those that are `known` need not be read.
        """
        held = {finished.line: finished for finished in known}
        lines = dict.fromkeys(self._lines())
        return [finished for finished in (held.get(line) or _read_or_skip(line) for line in lines) if finished]

    def clear(self, flushed: Iterable[Finished]) -> None:
        """Take out what a commit holds now; lines that other processes added meanwhile stay."""
        done = {finished.line or format_line(finished) for finished in flushed}
        if not done or not self.exists():
            return

        def keep(line: bytes) -> bool:
            return line not in done and _is_worth_keeping(line)

        with _write_errors(self._path):
            self._rewrite(keep)

    def _rewrite(self, keep: Callable[[bytes], bool]) -> None:
        with _locked(self._path):
            kept = [line for line in self._lines() if keep(line)]
            write_atomic(self._path, b"".join(line + b"\n" for line in kept), durable=True)

    def _lines(self) -> list[bytes]:
        try:
            return [line for line in self._path.read_bytes().split(b"\n") if line]
        except FileNotFoundError:
            return []


def format_line(finished: Finished) -> bytes:
    """One line, without its newline."""
    reach = finished.reach
    body = canonical_json(
        {
            "version": VERSION,
            "stage": finished.stage,
            "record": finished.record_bytes.decode("utf-8", "surrogatepass"),
            "info": finished.info_bytes.decode("utf-8", "surrogatepass"),
            "sources": dict(finished.sources),
            "reach": [reach.static_fingerprint, list(reach.modules)] if reach else None,
            "files": {oid: base64.b64encode(data).decode() for oid, data in finished.files.items()},
        }
    ).rstrip(b"\n")
    return xxhash.xxh3_64_hexdigest(body).encode() + b" " + body


def parse_line(line: bytes) -> Finished:
    """Read one line.

    Raises:
        RecordError: it is torn or damaged; `UnknownVersion` when a newer Pivot wrote it.
    """
    checksum, _, body = line.partition(b" ")
    if xxhash.xxh3_64_hexdigest(body).encode() != checksum:
        raise RecordError("a journal line is damaged")
    try:
        value = parse_canonical(body)
        if value["version"] != VERSION:
            raise UnknownVersion(f"a journal line has version {value['version']}; this Pivot reads {VERSION}")
        return _finished(msgspec.convert(value, _Line), line)
    except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise RecordError(f"a journal line lacks a field: {error}") from error


class _Line(Struct):
    """A line of this version; `files` are base64 by object id."""

    stage: str
    record: str
    info: str
    sources: dict[str, str]
    reach: tuple[str, tuple[str, ...]] | None = None
    files: dict[str, str] = {}


def _finished(value: _Line, line: bytes) -> Finished:
    return Finished(
        stage=value.stage,
        record=parse_record(value.record.encode("utf-8", "surrogatepass")),
        info=parse_info(value.info.encode("utf-8", "surrogatepass")),
        sources=value.sources,
        reach=Reach(*value.reach) if value.reach else None,
        files={oid: base64.b64decode(data, validate=True) for oid, data in value.files.items()},
        line=line,
    )


def _read_or_skip(line: bytes) -> Finished | None:
    try:
        return parse_line(line)
    except RecordError:
        return None


def _is_worth_keeping(line: bytes) -> bool:
    try:
        parse_line(line)
    except UnknownVersion:
        return True
    except RecordError:
        return False
    return True


@contextlib.contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GitError(f"the journal cannot be written: {error.strerror}", where=str(path)) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The journal, open and locked; opened again when `clear` put a new file in its place while we waited."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
