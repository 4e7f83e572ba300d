"""Whatever happens in whatever order: what was recorded and what the user wrote can be had, or is known to be gone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pivot.git.odb.backend import BLOB
from pivot.store import Object, Saved, StatCache, Store
from pivot.store.edit_keeper import Keeper, keep_edits
from pivot.store.odb.objects import object_id
from pivot.store.worktree.output_backup import BackupArea, OutputBackup, recover
from tests.store.conftest import MEMORY
from tests.store.crash import POINTS, run_and_crash
from tests.store.shelf import BIG, Tree, snapshot, write

CONTENTS: list[bytes | Tree] = [
    b"one",
    b"two",
    BIG,
    {"a": b"one", "sub": {"b": b"three"}},
    {"a": BIG, "sub": b"a file", "empty": {}},
    {"sub": {"b": b"four", "c": b"five"}},
]
contents = st.sampled_from(CONTENTS)
points = st.sampled_from([point for point in POINTS if point.split(":")[0] in ("loose", "large", "restore", "aside")])


class Life(RuleBasedStateMachine):
    """One output path, many commands, a user who writes, and a machine that crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
        self.out = self.top / "out"
        self.pivot = self.top / "pivot"
        self.recorded: dict[int, Object] = {}
        self.written: set[bytes] = set()
        self.edits = 0
        self.open()

    def open(self) -> None:
        """The next command starts."""
        self.store = Store.open(self.pivot / "store.git", link="hardlink")
        self.stats = StatCache.open(self.pivot / "stat")
        self.keeper = Keeper(self.top, self.store, self.stats, Saved(self.pivot / "saved"))
        if (self.pivot / "aside").exists():
            recover(self.pivot, lambda path: self.keeper.keep(path, "left behind"))

    @rule(number=st.sampled_from(range(len(CONTENTS))))
    def run_a_stage(self, number: int) -> None:
        self.recorded[number] = self.produce(CONTENTS[number])

    def produce(self, content: bytes | Tree) -> Object:
        keep_edits(self.keeper, [self.out], "a stage")
        with BackupArea(self.pivot) as room, OutputBackup(room) as aside:
            aside.aside([self.out])
            write(self.out, content)
            held = self.store.put(self.out, self.stats)
            aside.commit()
        return held

    @rule(content=contents, point=points)
    def crash_in_a_stage(self, content: bytes | Tree, point: str) -> None:
        run_and_crash(lambda: self.produce(content), point)
        self.open()

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        present = [number for number, held in self.recorded.items() if self.store.has(held)]
        if present:
            number = data.draw(st.sampled_from(present))
            keep_edits(self.keeper, [self.out], "a checkout")
            self.store.restore(self.recorded[number], self.out, self.stats)
            assert snapshot(self.out) == CONTENTS[number]

    @rule(data=st.data(), point=points)
    def crash_in_a_restore(self, data: st.DataObject, point: str) -> None:
        present = [held for held in self.recorded.values() if self.store.has(held)]
        if present:
            held = data.draw(st.sampled_from(present))
            run_and_crash(lambda: self.store.restore(held, self.out, self.stats), point)
            self.open()

    @rule(data=st.data(), in_place=st.booleans())
    def edit(self, data: st.DataObject, in_place: bool) -> None:
        """The user writes to a file, as an editor does (a new file) or in place, against its permissions."""
        files = self.files()
        if not files:
            return
        path = data.draw(st.sampled_from(files))
        self.edits += 1
        mark = b"edit %d " % self.edits
        old = path.read_bytes()
        new = mark + old[len(mark) :]
        self.written.discard(old)  # whoever writes over an own edit means it
        if in_place:
            path.chmod(0o644)
            with path.open("r+b") as file:
                file.write(mark)
        else:
            path.unlink()
            path.write_bytes(new)
        self.written.add(new)

    @rule()
    def save_and_start_again(self) -> None:
        self.stats.save()
        self.open()

    @rule()
    def clean_up(self) -> None:
        saved = [entry.object for entry in self.keeper.saved.entries()]
        self.store.prune([*self.recorded.values(), *saved], recent=0)

    @invariant()
    def nothing_is_lost(self) -> None:
        for held in self.recorded.values():
            fresh = Store.open(self.store.path, link="hardlink")
            assert not fresh.has(held) or fresh.verify(held) == []
        standing = {path.read_bytes() for path in self.files()}
        for data in self.written - standing:
            assert self.is_stored(data), data[:20]

    @invariant()
    def the_stat_cache_is_right(self) -> None:
        if self.out.exists():
            assert self.store.identify(self.out, self.stats) == self.store.identify(self.out, StatCache.open(self.top))

    def is_stored(self, data: bytes) -> bool:
        if len(data) < len(BIG):
            return self.store.has(Object(object_id(b"blob", data), BLOB, len(data)))
        probe = self.top / "probe"
        probe.write_bytes(data)
        return self.store.has(self.store.identify(probe, StatCache.open(self.top)))

    def files(self) -> list[Path]:
        found = self.out.rglob("*") if self.out.is_dir() else [self.out]
        return sorted(path for path in found if path.is_file())

    def teardown(self) -> None:
        shutil.rmtree(self.top)


Life.TestCase.settings = settings(
    max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestLife = Life.TestCase
