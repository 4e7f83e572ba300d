"""What a server knows about a push, and what its owner has it do about it: the settings `pivot.ci*`."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal, cast

from msgspec import Struct

from pivot.errors import GitError, SettingError
from pivot.git.odb.backend import Backend
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.config import Settings
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.operations.sandbox import Sandbox, read_sandbox
from pivot.pipeline.run_policy import read_duration

Mode = Literal["off", "verify", "run"]
MODES = ("off", "verify", "run")
SIDES = ("refs/heads/", "refs/tags/")
ALL_REFS = tuple(f"{side}*" for side in SIDES)
LEAST_MEMORY = 64 << 20  # bytes; Python alone takes a third of it
_WILD = re.compile(r"[*?\[]")


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
    `stored` whether the outputs' bytes must be in the server's store, `limit` seconds that a commit may run. A check
    may take `check_limit` seconds and `memory` bytes. `name` is what notes call this server. With
    `analyse` a check imports the code of a commit.
    """

    mode: Mode
    refs: tuple[str, ...] = ALL_REFS
    every: bool = False
    stored: bool = True
    limit: float = 3600.0
    background: bool = False
    check_limit: float = 600.0
    memory: int = 2 << 30
    sandbox: Sandbox = Sandbox()
    analyse: bool = False
    name: str = ""


def parse_received(lines: Iterable[str]) -> list[ReceivedRef]:
    """From lines `<old id> <new id> <ref>`."""
    return [ReceivedRef(*line.split(" ", 2)) for line in lines]


def is_code(ref: ReceivedRef) -> bool:
    """A branch or a tag that is not being deleted; what travels beside them is state."""
    return ref.value is not None and any(fnmatchcase(ref.name, pattern) for pattern in ALL_REFS)


def read_rules(settings: Settings) -> Rules:
    """Raises `SettingError` for a value that means nothing. Where no check is asked for, no other key is read."""
    mode = cast(Mode, settings.get_choice("pivot.ci", MODES, "off"))
    if mode == "off":
        return Rules(mode)
    sandbox = read_sandbox(settings)
    return Rules(
        mode=mode,
        refs=_patterns(settings),
        every=settings.get_choice("pivot.ciCommits", ("last", "all"), "last") == "all",
        stored=settings.get_bool("pivot.ciStore", True),
        limit=_seconds("pivot.ciTimeout", settings.get("pivot.ciTimeout", "1h")),
        background=settings.get_bool("pivot.ciBackground", False),
        check_limit=_seconds("pivot.ciCheckTimeout", settings.get("pivot.ciCheckTimeout", "10m")),
        memory=_memory(settings),
        sandbox=sandbox,
        analyse=settings.get_bool("pivot.ciAnalyse", bool(sandbox)),
        name=server_name(settings),
    )


def server_name(settings: Settings) -> str:
    """What the server is called where a note says who has run a commit."""
    return settings.get("pivot.ciName") or socket.gethostname() or "server"


def unmatched(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The patterns that match none of these refs: what their owner wants to guard is not guarded by them."""
    known = list(names)
    return [one for one in patterns if one not in ALL_REFS and not any(fnmatchcase(name, one) for name in known)]


def _patterns(settings: Settings) -> tuple[str, ...]:
    found = tuple(settings.get_all("pivot.ciRefs"))
    for pattern in found:
        start = _WILD.split(pattern)[0]
        whole = start == pattern
        if not any(start.startswith(side) or (side.startswith(start) and not whole) for side in SIDES):
            raise SettingError(
                f"the setting pivot.ciRefs is {pattern!r}, which matches no branch and no tag",
                hint="Name whole refs, such as `git config pivot.ciRefs refs/heads/main`.",
            )
    return found or ALL_REFS


def _seconds(key: str, text: str | None) -> float:
    seconds = read_duration(text or "")
    if seconds is None:
        raise SettingError(f"the setting {key} is {text!r}; it must be a time", hint=f"git config {key} 30m")
    return seconds


def _memory(settings: Settings) -> int:
    found = settings.get_int("pivot.ciMemory", 2 << 30)
    if found < LEAST_MEMORY:
        raise SettingError(
            f"the setting pivot.ciMemory is {found}; it must be {LEAST_MEMORY} bytes or more",
            hint="git config pivot.ciMemory 2g",
        )
    return found


def commits_of(
    location: RepositoryLocation, backend: Backend, refs: Iterable[ReceivedRef], rules: Rules
) -> dict[str, str]:
    """The commits that count, each with the name of the ref that brings it."""
    found: dict[str, str] = {}
    for ref in refs:
        if is_code(ref) and any(fnmatchcase(ref.name, pattern) for pattern in rules.refs):
            for commit in _commits(location, backend, ref, rules):
                found.setdefault(commit, ref.short)
    return found


def _commits(location: RepositoryLocation, backend: Backend, ref: ReceivedRef, rules: Rules) -> Iterator[str]:
    last = backend.resolve(ref.new)
    if last is None:
        _check_no_commit(location, ref)
        return
    if rules.every:
        args = ["rev-list", "--reverse", last, "--not", "--all", "--"]
        yield from run_git(args, location.folder, env=location.environment()).decode().split()
    yield last


def _check_no_commit(location: RepositoryLocation, ref: ReceivedRef) -> None:
    """A tag of a file or a folder names no commit; where Git cannot tell what it names, nothing is let through."""
    args = ["rev-parse", "--verify", "--quiet", f"{ref.new}^{{}}"]
    peeled = run_git(args, location.folder, env=location.environment()).decode().strip()
    kind = run_git(["cat-file", "-t", peeled], location.folder, env=location.environment()).decode().strip()
    if kind not in ("blob", "tree"):
        raise GitError(f"the commit of {ref.name} cannot be read")
