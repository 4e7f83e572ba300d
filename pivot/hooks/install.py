"""Putting Pivot's hooks into a repository beside those that are there, and taking them out again.

Three ways, by what Git and the repository allow:

files      a script for each hook; a foreign hook of that name stays as `<hook>.pivot-prev`, and is called first
config     Git 2.54 and newer: `hook.pivot-<hook>.command`; no file of anybody's is touched
by hand    `core.hooksPath` leads elsewhere and Git is older: the line to add to the hook that is there
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from pivot.errors import GitError
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.config import add_setting, read_settings, write_setting
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.hooks.script import GUARD, NAMES, SERVER_NAMES, is_ours, script_text, write_script

Way = Literal["files", "config", "by hand"]

CONFIG_FROM = (2, 54)
PREVIOUS = ".pivot-prev"
_PLACE = "$(git rev-parse --git-common-dir)/pivot/hooks"  # for the shell


class HookState(Struct, frozen=True):
    """One hook of a repository: does Git call Pivot for it, and how or why not."""

    name: str
    installed: bool
    how: str


class Hooks:
    """The hooks of one repository: those of who works in it or, with `server`, of who pushes to it.

    All work trees share them. What is installed of either kind is uninstalled.
    """

    def __init__(self, location: RepositoryLocation, *, server: bool = False) -> None:
        self._location = location
        self._names = SERVER_NAMES if server else NAMES
        self._how = f"git pivot hooks install{' --server' if server else ''}"
        answer = run_git(["rev-parse", "--git-path", "hooks"], location.folder, env=location.environment())
        self.folder = location.folder / os.fsdecode(answer).rstrip("\n")
        self._own = location.common_dir / "pivot" / "hooks"

    @property
    def way(self) -> Way:
        if git_version() >= CONFIG_FROM:
            return "config"
        inside = self.folder.resolve().is_relative_to(self._location.common_dir.resolve())
        return "files" if inside else "by hand"

    def install(self) -> list[str]:
        """Install what is missing; one line for each thing done. A second call does nothing.

        Raises:
            GitError: the repository cannot be written.
        """
        ways: dict[Way, Callable[[str, str], list[str]]] = {
            "files": self._install_file,
            "config": self._install_config,
            "by hand": self._install_own,
        }
        install, text = ways[self.way], script_text()
        try:
            return [line for name in self._names for line in install(name, text)]
        except OSError as error:
            raise GitError(f"a hook cannot be written: {error.strerror}", where=error.filename) from error

    def uninstall(self) -> list[str]:
        """Remove all that `install` may have made, and put foreign hooks back; one line for each thing done.

        Raises:
            GitError: the repository cannot be written.
        """
        try:
            return [line for name in (*NAMES, *SERVER_NAMES) for line in self._uninstall(name)]
        except OSError as error:
            raise GitError(f"a hook cannot be removed: {error.strerror}", where=error.filename) from error

    def status(self) -> list[HookState]:
        """What Git would call."""
        settings = read_settings(self._location)
        return [self._state(name, bool(settings.get(f"hook.pivot-{name}.event"))) for name in self._names]

    def line_for(self, name: str) -> str:
        """What a hook that somebody else manages says to call Pivot; harmless where Pivot is not installed.

        The one that guards a server is not: without it nothing may pass.
        """
        if name == GUARD:
            return f'"{_PLACE}/{name}" "$@" || exit 1'
        return f'_pivot="{_PLACE}/{name}"; [ ! -x "$_pivot" ] || "$_pivot" "$@"'

    def _state(self, name: str, in_config: bool) -> HookState:
        path = self.folder / name
        if in_config and git_version() >= CONFIG_FROM and os.access(self._own / name, os.X_OK):
            return HookState(name, True, f"hook.pivot-{name} in Git's configuration")
        if is_ours(path) and os.access(path, os.X_OK):
            before = path.with_name(name + PREVIOUS)
            return HookState(name, True, f"{path}, after {before.name}" if before.exists() else str(path))
        if is_ours(path.with_name(f"{name}.legacy")) and path.exists():
            return HookState(name, True, f"{path}.legacy, called by pre-commit")
        callers = [one for one in (path, self.folder.parent / name) if _calls(one, name)]
        if callers:
            return HookState(name, True, f"called by {callers[0]}")
        if is_ours(path.with_name(f"{name}.old")):
            return HookState(name, False, f"lefthook has moved it to {path}.old: `{self._how}`")
        if self.way == "by hand":
            return HookState(name, False, f"core.hooksPath is {self.folder}; add to its {name}: {self.line_for(name)}")
        return HookState(name, False, self._how)

    def _install_file(self, name: str, text: str) -> list[str]:
        path = self.folder / name
        legacy, before = path.with_name(f"{name}.legacy"), path.with_name(name + PREVIOUS)
        if is_ours(legacy) and os.path.lexists(path) and not is_ours(path):
            return [f"{legacy}: renewed"] if write_script(legacy, text) else []
        kept = ""
        if os.path.lexists(path) and not is_ours(path):
            if os.path.lexists(before):
                return [f"{path} is left alone: {before.name} is there too; remove one of them"]
            path.rename(before)
            kept = f"; the hook that was there is {before.name} and runs first"
        return [f"{path}: installed{kept}"] if write_script(path, text) else []

    def _install_config(self, name: str, text: str) -> list[str]:
        """The command first: an event without one stops every call of Git."""
        done = self._remove_file(name)
        write_script(self._own / name, text)
        key = f"hook.pivot-{name}"
        settings = read_settings(self._location)
        wanted = self._command(name)
        if settings.get(f"{key}.command") != wanted:
            write_setting(self._location, f"{key}.command", wanted)
            done.append(f"{key}: installed in Git's configuration")
        if name not in settings.get_all(f"{key}.event"):
            add_setting(self._location, f"{key}.event", name)
        return done

    def _command(self, name: str) -> str:
        """Git adds `"$@"` to it; a repository may be moved.

        A script that is gone must not stop the user's Git, and must stop what a server was to guard against.
        """
        if name == GUARD:
            gone = '{ echo "pivot: $_hook is gone; the push is refused" >&2; exit 1; }'
            return f'_pivot() {{ _hook="{_PLACE}/{name}"; [ -x "$_hook" ] || {gone}; "$_hook" "$@"; }}; _pivot'
        return f'_pivot() {{ _hook="{_PLACE}/{name}"; [ ! -x "$_hook" ] || "$_hook" "$@"; }}; _pivot'

    def _install_own(self, name: str, text: str) -> list[str]:
        write_script(self._own / name, text)
        if self._state(name, False).installed:
            return []
        return [f"core.hooksPath is {self.folder}; add to its {name}: {self.line_for(name)}"]

    def _uninstall(self, name: str) -> list[str]:
        done = self._remove_file(name)
        if read_settings(self._location).get(f"hook.pivot-{name}.command") is not None:
            # The whole section in one write: an event without its command stops every call of Git.
            args = ["config", "--local", "--remove-section", f"hook.pivot-{name}"]
            run_git(args, self._location.common_dir, env=self._location.environment())
            done.append(f"hook.pivot-{name}: removed from Git's configuration")
        (self._own / name).unlink(missing_ok=True)
        return done

    def _remove_file(self, name: str) -> list[str]:
        """Take our file out, wherever pre-commit or lefthook moved it, and put the one before it back."""
        path = self.folder / name
        before = path.with_name(name + PREVIOUS)
        ours = [one for one in (path, path.with_name(f"{name}.legacy"), path.with_name(f"{name}.old")) if is_ours(one)]
        for one in ours:
            one.unlink()
        done = [f"{one}: removed" for one in ours]
        if os.path.lexists(before) and not os.path.lexists(path):
            before.rename(path)
            done.append(f"{path}: back as it was")
        elif os.path.lexists(before) and path.read_bytes() == before.read_bytes():
            before.unlink()  # its owner has installed it again meanwhile
        elif os.path.lexists(before):
            done.append(f"{before} stays: another hook stands at {path} by now")
        return done


def git_version() -> tuple[int, int]:
    """Of the `git` on PATH.

    Raises:
        GitError: it does not tell.
    """
    told = run_git(["version"], Path("/")).decode("utf-8", "replace")
    found = re.search(r"(\d+)\.(\d+)", told)
    if found is None:
        raise GitError(f"git does not tell its version: {told.strip()!r}")
    return int(found[1]), int(found[2])


def _calls(path: Path, name: str) -> bool:
    """Whether somebody else's hook calls Pivot."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return False
    return f"pivot/hooks/{name}" in text or f"git-pivot hook {name}" in text or f"git pivot hook {name}" in text
