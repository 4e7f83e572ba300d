"""The repository that commands are killed in: two branches, hooks, a Git remote and remotes of outputs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from pivot.files import TEMP_PREFIX
from tests.support.repository import Repo
from tests.support.sshd import SshServer

PIPELINE = """
import time
from typing import Annotated

import pivot

pipeline = pivot.Pipeline("torture")
Bytes = pivot.loaders.Bytes()
Parts = pivot.DirectoryOut("parts/", pivot.loaders.Text())
Seen = pivot.IncrementalOut("seen.json", pivot.loaders.JSON())

@pipeline.register
def first(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("first.txt")]:
    return raw * 1000

@pipeline.register
def large(text: Annotated[str, pivot.Dep("first.txt")]) -> Annotated[bytes, pivot.Out("large.bin", Bytes)]:
    time.sleep(0.1)
    return text.encode() * 400

@pipeline.register
def parts(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[dict, Parts]:
    return {f"{number}.txt": raw * number * 1000 for number in range(1, 31)}

@pipeline.register
def grow(raw: Annotated[str, pivot.Dep("raw.txt")], seen: Annotated[list, Seen]) -> Annotated[list, Seen]:
    time.sleep(0.1)
    return [*(seen or []), raw]

@pipeline.register
def last(data: Annotated[bytes, pivot.Dep("large.bin", Bytes)]) -> Annotated[str, pivot.Out("last.txt")]:
    return str(len(data))
"""
STAGES = 5
OUTPUTS = ("first.txt", "large.bin", "parts", "last.txt")  # not that of `grow`, which its next run reads
OURS = (
    "aside", "cache", "children", "failed", "journal", "known-outputs", "lock", "logs", "met", "outputs", "saved",
    "store.git", "tmp",
)  # fmt: skip
"""All that may be in the folder of a clone."""
TEN_MINUTES_LATER = """
import sys, time
clock = time.time
time.time = lambda: clock() + 660
from pivot.__main__ import main
sys.exit(main())
"""


class Project:
    """A repository to kill commands in; `environment` is that of its commands."""

    def __init__(self, folder: Path, server: SshServer | None = None) -> None:
        self.repo = Repo.init(folder / "work", "--initial-branch=main")
        self.shelf = folder / "shelf"
        self.full = folder / "full.git"
        self.swept = 0
        self.environment: Mapping[str, str] = {"GIT_SSH_COMMAND": server.command()} if server else {}
        self.remotes = ["shelf", *(["far"] if server else [])]
        self.repo.write("pipeline.py", PIPELINE)
        self.repo.git("init", "--quiet", "--bare", str(folder / "git"))
        self.repo.git("remote", "add", "origin", str(folder / "git"))
        self.pivot("init")
        self.pivot("remote", "add", "shelf", str(self.shelf))
        if server:
            self.pivot("remote", "add", "far", server.url(folder / "far"))
            config = folder / "ssh_config"
            config.write_text(
                f"IdentityFile {server.key}\nUserKnownHostsFile {server.known_hosts}\nIdentitiesOnly yes\n"
            )
            self.git("config", "pivot-remote.far.configFile", str(config))
        self.change("0")
        self.change("1")
        self.git("push", "--quiet", "--set-upstream", "origin", "main")
        self.git("switch", "--quiet", "--create", "other")
        self.change("2")
        self.pivot("repro")

    def pivot(self, *args: str) -> str:
        return self.repo.pivot(*args, env=self.environment, timeout=300).expect(0).out

    def git(self, *args: str) -> str:
        return self.repo.git(*args, env=self.environment)

    def change(self, text: str) -> None:
        """Commit another input; hooks run."""
        self.repo.write("raw.txt", text)
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", text)

    def remove_outputs(self) -> None:
        """From the working tree."""
        for name in OUTPUTS:
            path = self.repo.path / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def empty_store(self) -> None:
        """As in a clone that has not downloaded yet, for a `pull` that has to; until `fill_store`."""
        self.remove_outputs()
        (self.repo.path / ".git/pivot/store.git").rename(self.full)

    def fill_store(self) -> None:
        """Add what the store had, if it was emptied."""
        if self.full.exists():
            shutil.copytree(self.full, self.repo.path / ".git/pivot/store.git", symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(self.full)

    def check(self) -> None:
        """Right contents, nothing to do, nothing lost, nothing left."""
        self.pivot("repro")
        self._check_contents(self.repo.read("raw.txt"))
        again = self.pivot("repro")
        assert f"{STAGES} unchanged" in again, again
        self.pivot("fsck")
        assert self.repo.status() == ""
        self._check_leftovers()

    def _check_contents(self, raw: str) -> None:
        assert self.repo.read("first.txt") == raw * 1000
        assert self.repo.read("large.bin") == raw * 400_000
        assert self.repo.read("last.txt") == str(len(raw) * 400_000)
        assert json.loads(self.repo.read("seen.json"))[-1] == raw
        parts = self.repo.path / "parts"
        assert {path.name: path.read_text() for path in parts.iterdir()} == {
            f"{number}.txt": raw * number * 1000 for number in range(1, 31)
        }

    def _check_leftovers(self) -> None:
        pivot = self.repo.path / ".git/pivot"
        assert (pivot / "store.git/tmp").is_dir(), "the store is not where this test looks"
        self._check_temporary()
        aside = pivot / "aside"
        assert not (aside.is_dir() and list(aside.iterdir())), "outputs are still moved away"
        journal = pivot / "journal"
        assert not (journal.exists() and journal.stat().st_size), "the journal was not flushed"
        locks = [path for path in (self.repo.path / ".git").rglob("*.lock") if "pivot" not in path.parts]
        assert not locks, locks

    def _check_temporary(self) -> None:
        """A working tree has none at once, a store of this clone none after a `gc`, ten minutes later."""
        left = [path for path in self.repo.path.rglob(f"{TEMP_PREFIX}*") if ".git" not in path.parts]
        assert not left, left
        if not (inside := self._temporary()):
            return
        self.repo.run(sys.executable, "-P", "-c", TEN_MINUTES_LATER, "gc").expect(0)
        assert not (still := self._temporary()), still
        self.swept += len(inside)

    def _temporary(self) -> list[Path]:
        git = self.repo.path / ".git"
        strange = [path for path in (git / "pivot").iterdir() if path.name not in OURS]
        strange += [path for path in (git / "pivot/cache").rglob("*") if path.suffix[1:].isdigit()]
        return sorted({*git.rglob(f"{TEMP_PREFIX}*"), *git.glob("pivot/**/tmp_*"), *strange})
