"""The tree of errors. Each says what is wrong, where, and which command or edit comes next.

PivotError                 exit code 2 unless said otherwise
+-- ProjectError           no repository here, or one that cannot be used
+-- SettingError           a `pivot.*` setting with a value that means nothing
+-- PipelineError          a stage or an artifact is declared wrongly
+-- CodeError              the user's module cannot be imported (carries the user's traceback)
+-- TargetError            a stage, path or revision that the user named does not exist
+-- InputError             a dep is missing, is a bare pointer, or cannot be read
+-- GitError               a Git operation failed
|   +-- RefMoved           somebody else moved the ref first; merge and try again
|   +-- UnreadableObject   an object of the repository is damaged, or cannot be what it is read as
+-- RecordError            a record, note or journal line that this version cannot read
|   +-- UnknownVersion     it was written by a newer Pivot
+-- StoreError             the store cannot do what was asked
|   +-- MissingObject      the store does not have these bytes
|   +-- DamagedObject      the store has bytes that are not what their name says
|   +-- UnsafePath         a path that may not stand in an output (`.git`, a socket, ...)
+-- RemoteError            a store on another machine or disk cannot be used
|   +-- ConnectionLost     the line broke; what was moved until then is kept, and the same command goes on from there
+-- LockTimeout            another command holds the lock
+-- CheckFailed            exit code 1: a check or a stage did not hold
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False  # importing `typing` costs a third of a bare start
if TYPE_CHECKING:
    from typing import ClassVar


WHEN_REFUSED = {
    errno.ENOSPC: "Run `git pivot gc` or make room on the disk, then run the command again.",
    errno.EDQUOT: "Run `git pivot gc` or make room in your quota, then run the command again.",
    errno.EFBIG: "Raise the limit on the size of files (`ulimit -f`), then run the command again.",
    errno.EACCES: "Make the folder writable, then run the command again.",
    errno.EPERM: "Make the folder writable, then run the command again.",
    errno.EROFS: "The file system is read-only. Mount it writable, then run the command again.",
}
"""What to do about a file that the system does not let us write, by error number."""


class PivotError(Exception):
    """An error that a user can mend.

    Args:
        what: one sentence, no full stop after a path or an id.
        where: `file:line` of the user's code or a path, where there is one.
        hint: the next command or edit.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.hint)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


def _rebuild(kind: type[PivotError], what: str, where: str | None, hint: str | None) -> PivotError:
    return kind(what, where=where, hint=hint)


class ProjectError(PivotError):
    """There is no repository here, or one that cannot be used."""


class SettingError(PivotError):
    """A setting has a value that means nothing."""


class PipelineError(PivotError):
    """A stage or an artifact is declared wrongly; `where` is the line of the declaration."""


class CodeError(PivotError):
    """The user's module cannot be imported; `what` holds the user's own traceback, without Pivot's frames."""


class TargetError(PivotError):
    """A stage, path or revision that the user named does not exist."""


class InputError(PivotError):
    """What a stage reads is missing, is a bare pointer, or cannot be read; `where` is its path."""


class GitError(PivotError):
    """A Git operation failed."""


class RefMoved(GitError):
    """A ref was not where the writer expected it, or its lock was held: merge and try again."""


class UnreadableObject(GitError):
    """An object of the repository is damaged, of another kind, or larger than what it is read as may be."""


class RecordError(PivotError):
    """A record, note or journal line that this version cannot read."""


class UnknownVersion(RecordError):
    """A record, note or journal line of a format that a newer Pivot writes."""


class StoreError(PivotError):
    """The store cannot do what was asked."""


class MissingObject(StoreError):
    """The store does not have these bytes."""


class DamagedObject(StoreError):
    """The store has bytes that are not what their name says."""


class UnsafePath(StoreError):
    """A path that may not stand in an output: `.git`, a socket, a device, a path outside."""


class RemoteError(PivotError):
    """A remote cannot be reached, does not let us in, or cannot do what was asked."""


class ConnectionLost(RemoteError):
    """The connection to a remote broke; what was moved until then is kept."""

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        again = "What has moved is kept: run it again when `git pivot remote check` gets through."
        super().__init__(what, where=where, hint=hint or again)


class LockTimeout(PivotError):
    """Another command holds the lock."""


class CheckFailed(PivotError):
    """A check did not hold, or a stage failed."""

    exit_code: ClassVar[int] = 1
