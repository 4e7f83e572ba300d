"""What a server is told about a push, and what its owner has it do about it: the settings `pivot.ci*`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal, cast

from msgspec import Struct

from pivot.errors import SettingError
from pivot.git.backend import Backend
from pivot.git.command import ask_git
from pivot.git.config import Settings
from pivot.git.locate import Location
from pivot.pipeline.policy import read_duration

Mode = Literal["off", "verify", "run"]
MODES = ("off", "verify", "run")
ALL_REFS = ("refs/heads/*", "refs/tags/*")


class ReceivedRef(Struct, frozen=True):
    """One line of what Git tells a receive hook. The zero id has 40 or 64 digits."""

    old: str
    new: str
    name: str

    @property
    def value(self) -> str | None:
        """The new id; None for a ref that is deleted."""
        return self.new if set(self.new) != {"0"} else None

    @property
    def short(self) -> str:
        return self.name.split("/", 2)[-1]


class Rules(Struct, frozen=True):
    """What is done about a push.

    `refs` are patterns of refs that count, `every` whether each commit that comes with them counts or the last alone,
    `stored` whether the outputs' bytes must be in the server's store, `limit` seconds that a commit may run.
    """

    mode: Mode
    refs: tuple[str, ...]
    every: bool
    stored: bool
    limit: float
    background: bool


def parse_received(lines: Iterable[str]) -> list[ReceivedRef]:
    """From lines `<old id> <new id> <ref>`."""
    return [ReceivedRef(*line.split(" ", 2)) for line in lines]


def is_code(ref: ReceivedRef) -> bool:
    """A branch or a tag that is not being deleted; what travels beside them is state."""
    return ref.value is not None and any(fnmatchcase(ref.name, pattern) for pattern in ALL_REFS)


def read_rules(settings: Settings) -> Rules:
    """Raises `SettingError` for a value that means nothing."""
    limit = settings.get("pivot.ciTimeout", "1h") or ""
    seconds = read_duration(limit)
    if seconds is None:
        raise SettingError(
            f"the setting pivot.ciTimeout is {limit!r}; it must be a time", hint="git config pivot.ciTimeout 30m"
        )
    return Rules(
        mode=cast(Mode, settings.get_choice("pivot.ci", MODES, "off")),
        refs=tuple(settings.get_all("pivot.ciRefs")) or ALL_REFS,
        every=settings.get_choice("pivot.ciCommits", ("last", "all"), "last") == "all",
        stored=settings.get_bool("pivot.ciStore", True),
        limit=seconds,
        background=settings.get_bool("pivot.ciBackground", False),
    )


def commits_of(location: Location, backend: Backend, refs: Iterable[ReceivedRef], rules: Rules) -> dict[str, str]:
    """The commits that count, each with the name of the ref that brings it."""
    found: dict[str, str] = {}
    for ref in refs:
        if is_code(ref) and any(fnmatchcase(ref.name, pattern) for pattern in rules.refs):
            for commit in _commits(location, backend, ref, rules):
                found.setdefault(commit, ref.short)
    return found


def _commits(location: Location, backend: Backend, ref: ReceivedRef, rules: Rules) -> Iterator[str]:
    last = backend.resolve(ref.new)  # none for the tag of a file
    if last and rules.every:
        args = ["rev-list", "--reverse", last, "--not", "--all", "--"]
        yield from ask_git(args, location.folder, env=location.environment()).out.decode().split()
    if last:
        yield last
