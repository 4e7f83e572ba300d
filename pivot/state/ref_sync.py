"""State that travels: the run cache, notes and accepted changes, between this repository and a Git remote.

All network goes through the `git` program, so that credentials, proxies and agents are the user's. A fetch brings the
remote's tips to `refs/pivot-remotes/<remote>/`; a pull unites them with the local refs; a push does both first and
overwrites nothing that was not united with, so that of two who push at once the later one takes in what the first has
pushed. Only a history that was shortened is put in the place of another one, and only of the one it stands for.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import xxhash
from msgspec import Struct

from pivot.errors import GitError, TargetError
from pivot.git.odb.backend import Author, Backend
from pivot.git.plumbing.command import Answer, ask_git
from pivot.git.plumbing.config import Settings, unset_setting, write_setting
from pivot.git.plumbing.fetch_refspecs import REFSPECS, list_remotes
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.state import accepted, notes, run_cache
from pivot.state.merge import Alive

REFS = {"runs": run_cache.REF, "notes": notes.REF, "accepted": accepted.REF}

TRIES = 40
_LONGEST_PAUSE = 1.0
# No `--filter`: a partial clone would leave the records out. No FETCH_HEAD: it belongs to the user's own fetch.
_FETCH = ("--quiet", "--no-tags", "--no-filter", "--no-write-fetch-head", "--no-recurse-submodules")
# No hooks: a pre-push hook that pushes would call itself.
_PUSH = ("--quiet", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
_RACE = re.compile(
    r"fetch first|non-fast-forward|stale info|lock|failed to update ref|incorrect old value|already exists"
)


class Pushed(Struct, frozen=True):
    """What a push did: the kinds of state that the remote took, and those that it refuses, with its own reason."""

    taken: tuple[str, ...] = ()
    refused: Mapping[str, str] | None = None


class State:
    """The shared refs of one repository."""

    def __init__(
        self,
        location: RepositoryLocation,
        backend: Backend,
        author: Author,
        alive: Alive | None = None,
    ) -> None:
        """`alive` tells which of the records that others removed are in use here, and so stay."""
        self._location = location
        self._backend = backend
        self._author = author
        self._runs = run_cache.RunCache(backend)
        self._notes = notes.Notes(backend)
        self._absorb: dict[str, Callable[[str, Author], str]] = {
            "runs": partial(self._runs.absorb, alive=alive),
            "notes": self._notes.absorb,
            "accepted": accepted.Accepted(backend).absorb,
        }

    def fetch(self, remote: str) -> list[str]:
        """Bring what a remote has into the tracking refs, where look-ups read it; the kinds of state that are new.

        Raises:
            GitError: the remote cannot be reached; the sentence is Git's own.
        """
        name, url = self._name(remote)
        before = self._tracked(name)
        specs = [spec.format(remote=name) for spec in REFSPECS]
        self._fetch(url, specs)
        tips = self._tracked(name)
        if self._is_partial() and not all(map(self._is_whole, tips.values())):
            # A plain `git fetch` came before us and left objects out, and Git takes promised ones for present.
            self._fetch(url, specs, "--refetch")
        return [kind for kind, tip in tips.items() if before.get(kind) != tip]

    def pull(self, remote: str) -> list[str]:
        """Fetch, and unite the local refs with what came; the kinds of state that are new here.

        Raises:
            GitError: as for `fetch`, or a ref cannot be written.
        """
        self.fetch(remote)
        name, _ = self._name(remote)
        before = self._local()
        for kind, tip in self._tracked(name).items():
            self._absorb[kind](tip, self._author)
        return [kind for kind, tip in self._local().items() if before.get(kind) != tip]

    def push(self, remote: str) -> Pushed:
        """Unite with what the remote has and push, again and again while others are first.

        Raises:
            GitError: the remote cannot be reached, or others were first too many times; nothing local is lost.
        """
        name, url = self._name(remote)
        pause = 0.02
        for _ in range(TRIES):
            self.pull(remote)
            theirs = self._tracked(name)
            wanted = {kind: tip for kind, tip in self._local().items() if theirs.get(kind) != tip}
            leases = {kind: tip for kind, tip in theirs.items() if kind in wanted and self._replaces(kind, tip)}
            pushed = self._try_push(url, wanted, leases) if wanted else Pushed()
            if pushed is not None:
                self._remember(name, pushed)
                return pushed
            time.sleep(random.uniform(0, pause))
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise _too_late(remote, "git pivot push")

    def differing(self, remote: str, *, pushing: bool) -> list[str]:
        """The kinds of state that a push would upload, or else that a fetch would download; nothing is moved.

        Raises:
            GitError: the remote cannot be reached.
        """
        name, url = self._name(remote)
        answer = self._ask(["ls-remote", "--quiet", "--", url, *REFS.values()])
        if answer.code:
            raise GitError(f"git ls-remote of {url} failed: {answer.complaint}", where=str(self._location.git_dir))
        rows = (line.partition(b"\t") for line in answer.out.splitlines())
        theirs = {os.fsdecode(ref): os.fsdecode(tip) for tip, _, ref in rows}
        if pushing:
            return [kind for kind, tip in self._local().items() if theirs.get(REFS[kind]) != tip]
        known = self._tracked(name)
        return [kind for kind, ref in REFS.items() if ref in theirs and known.get(kind) != theirs[ref]]

    def shorten(self, remote: str, message: str) -> Pushed:
        """Put one commit in the place of the remote's whole history of results, and of its notes, and follow it here.

        Nobody's results are lost: the remote is asked to take it only while it has what was united with just before,
        and other clones put what they have not pushed yet on top of it.

        Raises:
            GitError: as for `push`.
        """
        name, url = self._name(remote)
        for _ in range(TRIES):
            self.pull(remote)
            theirs, kinds = self._tracked(name), {"runs": self._runs.shortened, "notes": self._notes.shortened}
            made = {kind: tip for kind, shorten in kinds.items() if (tip := shorten(message, self._author))}
            pushed = self._try_push(url, made, {kind: theirs.get(kind, "") for kind in made}) if made else Pushed()
            if pushed is None:
                continue
            for kind in pushed.taken:
                self._absorb[kind](made[kind], self._author)
            self.fetch(remote)
            return pushed
        raise GitError(
            f"others pushed results to {remote} first, {TRIES} times over", hint=f"git pivot gc --rewrite {remote}"
        )

    def _replaces(self, kind: str, theirs: str) -> bool:
        return {"runs": self._runs.replaces, "notes": self._notes.replaces}.get(kind, lambda _: False)(theirs)

    def _fetch(self, url: str, specs: list[str], *options: str) -> None:
        for attempt in range(TRIES):
            answer = self._ask(["fetch", *_FETCH, *options, "--", url, *specs])
            if not answer.code:
                return
            if "lock" not in answer.complaint or attempt == TRIES - 1:
                raise GitError(f"git fetch from {url} failed: {answer.complaint}", where=str(self._location.git_dir))
            time.sleep(random.uniform(0, 0.1))

    def _try_push(self, url: str, tips: Mapping[str, str], leases: Mapping[str, str]) -> Pushed | None:
        """Push these kinds of state; None when someone else was first.

        Where history was shortened, nothing leads from their tip to ours: a lease says which one may be replaced.
        """
        lease = [f"--force-with-lease={REFS[kind]}:{tip}" for kind, tip in leases.items()]
        answer = self._ask(["push", *_PUSH, *lease, "--", url, *(f"{tip}:{REFS[kind]}" for kind, tip in tips.items())])
        told = _read_porcelain(answer.out)
        rejected = {kind: told[REFS[kind]] for kind in tips if told.get(REFS[kind])}
        if answer.code and not rejected:
            raise GitError(f"git push to {url} failed: {answer.complaint}", where=str(self._location.git_dir))
        if any(_is_race(reason, forced=kind in leases) for kind, reason in rejected.items()):
            return None
        return Pushed(tuple(kind for kind in tips if kind not in rejected), rejected)

    def _remember(self, name: str, pushed: Pushed) -> None:
        """Mark a remote that does not take state, so that hooks leave it alone; and one that takes it again."""
        if name not in list_remotes(self._location):
            return
        if pushed.refused:
            write_setting(self._location, f"remote.{name}.pivot", "false")
        elif pushed.taken:
            unset_setting(self._location, f"remote.{name}.pivot")

    def _name(self, remote: str) -> tuple[str, str]:
        """The name that a remote's tracking refs have, and what to call it towards Git."""
        if remote in list_remotes(self._location):
            return remote, remote
        url = str(Path(remote).resolve()) if Path(remote).exists() else remote
        return xxhash.xxh3_64_hexdigest(url.encode("utf-8", "surrogateescape")), url

    def _tracked(self, name: str) -> dict[str, str]:
        found = self._backend.refs(f"refs/pivot-remotes/{name}/")
        return {kind: found[ref] for kind in REFS if (ref := f"refs/pivot-remotes/{name}/{kind}") in found}

    def _local(self) -> dict[str, str]:
        return {kind: tip for kind, ref in REFS.items() if (tip := self._backend.ref_get(ref))}

    def _is_partial(self) -> bool:
        pattern = r"^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$"
        return bool(self._run(["config", "--get-regexp", pattern]).out)

    def _is_whole(self, tip: str) -> bool:
        tree = self._backend.read_commit(tip).tree
        listed = self._run(["rev-list", "--objects", "--no-object-names", "--missing=print", tree])
        return not listed.code and b"\n?" not in b"\n" + listed.out

    def _ask(self, args: list[str]) -> Answer:
        return ask_git(args, self._location.folder, env=self._environment(), prompts=True)

    def _run(self, args: list[str]) -> Answer:
        return ask_git(args, self._location.folder, env=self._environment())

    def _environment(self) -> dict[str, str]:
        # The guard of our own hooks, should `--no-verify` not reach one (server side hooks of a local path).
        return {**self._location.environment(), "GIT_PIVOT_HOOKS": "0"}


def choose_remote(location: RepositoryLocation, settings: Settings, *, pushing: bool = False) -> str:
    """The remote that Git itself would talk to on this branch.

    Raises:
        TargetError: there is none, or several and nothing says which.
    """
    branch = location.branch()
    keys = [f"branch.{branch}.pushremote", "remote.pushdefault"] if pushing else []
    for key in (*keys, f"branch.{branch}.remote"):
        if (held := settings.get(key)) and held != ".":
            return held
    known = list_remotes(location)
    if "origin" in known or len(known) == 1:
        return "origin" if "origin" in known else known[0]
    if not known:
        raise TargetError("there is no Git remote", hint="git remote add origin URL")
    raise TargetError(f"which remote? There are {', '.join(known)}", hint=f"git pivot push {known[0]}")


def takes_state(settings: Settings, remote: str) -> bool:
    """False for a remote that has refused state before, or that the user has marked: `remote.<name>.pivot = false`."""
    return settings.get_bool(f"remote.{remote}.pivot", True)


def _too_late(remote: str, again: str) -> GitError:
    return GitError(f"others pushed results to {remote} first, {TRIES} times over", hint=again)


def _is_race(reason: str, *, forced: bool) -> bool:
    """Whether somebody else was first; a server that refuses a history that was shortened goes on refusing it."""
    return bool(_RACE.search(reason)) and not (forced and "non-fast-forward" in reason)


def _read_porcelain(out: bytes) -> dict[str, str]:
    """Remote ref -> why it was rejected (empty: it was not), from `git push --porcelain`."""
    told: dict[str, str] = {}
    for line in out.decode("utf-8", "surrogateescape").splitlines():
        flag, _, rest = line.partition("\t")
        if len(flag) == 1 and "\t" in rest:
            names, _, summary = rest.partition("\t")
            told[names.rpartition(":")[2]] = summary if flag == "!" else ""
    return told
