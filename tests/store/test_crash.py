"""`kill -9` at every named point: nothing recorded, nothing that the user wrote is lost, and the next run is right."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from pivot.files import TEMP_PREFIX
from pivot.store import Object, Saved, StatCache, Store
from pivot.store.edit_keeper import Keeper, keep_edits
from pivot.store.odb.objects import LARGE, object_id
from pivot.store.worktree.output_backup import BackupArea, OutputBackup, recover
from tests.store.crash import POINTS, run_and_crash, run_and_refuse
from tests.store.shelf import BIG, Shelf, Tree, many, snapshot, write
from tests.support.slow import slow_unless

FIRST: Tree = {
    **{f"f{n}": random.Random(n).randbytes(15_000) for n in range(120)},
    "big": BIG,
    "x": b"1",
    "kind": b"file",
}
SECOND: Tree = {
    **{f"f{n}": b"second %d " % n * 1500 for n in range(110)},
    "big": BIG + b"2",
    "kind": {"now": b"folder"},
}
EDIT = b"an edit that nobody else has"
LOST = b"v" * (LARGE + 7)


class Story:
    """What commands and their user do in turn; `recorded` is what they may rely on afterwards."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.pivot = shelf.store.path.parent
        self.out = shelf.work / "out"
        self.log = self.pivot / "recorded"

    def tell(self) -> None:
        first = self.record("first", FIRST)
        second = self.record("second", SECOND)
        (self.out / "f1").write_bytes(EDIT)
        self.record("edited", None)
        keep_edits(self.keeper(), [self.out], "replaced in a test")
        self.shelf.restore(first, self.out)
        self.shelf.restore(second, self.out)
        self.fail_a_stage()
        self.edit_in_place()
        self.clean_up([first, second])

    def clean_up(self, recorded: list[Object]) -> None:
        """With rubbish there of every kind: large, loose, and in a pack of which some is still wanted."""
        half = {"wanted": many(80), "rubbish": many(90, 50)}
        pack = self.shelf.store.put(self.shelf.make("half", half), self.shelf.fresh())
        wanted = self.shelf.store.find(pack.id, "wanted")
        assert wanted is not None
        for content in (LOST, b"small rubbish"):
            self.shelf.store.put(self.shelf.make("rubbish", content), self.shelf.fresh())
        kept = [entry.object for entry in self.saved().entries()]
        self.shelf.store.prune([*recorded, wanted, *kept], recent=0)
        assert self.shelf.reopened().has(wanted)

    def record(self, name: str, content: Tree | None) -> Object:
        if content is None:
            self.note(name, Object("0" * 40, 0, 0))
            return Object("0" * 40, 0, 0)
        with BackupArea(self.pivot) as room, OutputBackup(room) as aside:
            aside.aside([self.out])
            write(self.out, content)
            held = self.shelf.put(self.out)
            self.note(name, held)
            aside.commit()
        return held

    def fail_a_stage(self) -> None:
        with BackupArea(self.pivot) as room, OutputBackup(room) as aside:
            aside.lend([self.out, self.shelf.work / "never there"])
            (self.out / "f3").write_bytes(b"half done")

    def edit_in_place(self) -> None:
        """Write through a hard link, against the permissions."""
        path = self.shelf.make("alone", BIG + b"3")
        held = self.shelf.put(path)
        path.chmod(0o644)
        with path.open("r+b") as file:
            file.write(EDIT)
        self.note("in place", held)
        self.shelf.reopened().has(held)
        keep_edits(self.keeper(), [path], "edited in place")

    def note(self, name: str, held: Object) -> None:
        with self.log.open("a") as file:
            file.write(f"{name}\t{held.id}\t{held.mode}\t{held.size}\n")

    def recorded(self) -> dict[str, Object]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        rows = [line.split("\t") for line in lines]
        return {name: Object(oid, int(mode), int(size)) for name, oid, mode, size in rows}

    def keeper(self) -> Keeper:
        return Keeper(self.shelf.work, self.shelf.store, self.shelf.stats, self.saved())

    def saved(self) -> Saved:
        return Saved(self.pivot / "saved")


# These are passed often; a later passing leaves other things behind.
OFTEN = [point for point in POINTS if point.split(":")[0] in ("loose", "restore") or point == "aside:moved"]


CASES = [*((point, 1) for point in POINTS), *((point, 3) for point in OFTEN)]
QUICK = {(points[0], 1) for points in ([p for p in POINTS if p.startswith(kind)] for kind in ("aside:", "restore:"))}


@pytest.mark.parametrize(("point", "times"), slow_unless(CASES, QUICK.__contains__))
def test_a_crash_loses_nothing(swift: Shelf, point: str, times: int) -> None:
    story = Story(swift)
    crashed = run_and_crash(story.tell, point, times)
    assert crashed or times > 1, "the story never gets to this point"

    next_run = Shelf(swift.work, swift.reopened(), StatCache.open(story.pivot / "cache/stat"))
    again = Story(next_run)
    recover(story.pivot, lambda path: again.keeper().keep(path, "left by a killed command"))
    done = again.recorded()
    for name in done.keys() & {"first", "second"}:
        assert next_run.store.verify(done[name]) == []
    if "edited" in done:
        assert _is_obtainable(next_run, again, EDIT)
    if "in place" in done:
        _assert_edit_in_place_is_safe(next_run, done["in place"])
    again.tell()
    assert snapshot(again.out) == SECOND
    assert next_run.store.verify(again.recorded()["first"]) == []
    next_run.assert_git_agrees()
    assert not list(swift.work.rglob(".pivot-tmp-*"))
    assert list((story.pivot / "aside").iterdir()) == []


def _is_obtainable(shelf: Shelf, story: Story, data: bytes) -> bool:
    stands = [path for path in story.out.rglob("*") if path.is_file() and path.read_bytes() == data]
    return bool(stands) or shelf.store.has(Object(object_id(b"blob", data), 0o100644, len(data)))


def _assert_edit_in_place_is_safe(shelf: Shelf, held: Object) -> None:
    assert not shelf.store.has(held)
    edited = EDIT + (BIG + b"3")[len(EDIT) :]
    assert (shelf.work / "alone").read_bytes() == edited
    assert shelf.store.has(shelf.store.identify(shelf.work / "alone", shelf.fresh()))


def test_there_are_at_least_twenty_points() -> None:
    assert len(POINTS) >= 20


def test_points_do_nothing_in_the_product(plain: Shelf, tmp_path: Path) -> None:
    Store.open(tmp_path / "s.git").put(plain.make("x", b"1"), plain.stats)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("point", POINTS)
def test_a_refused_write_leaves_no_temporary_file_and_gets_its_own_hint(swift: Shelf, point: str, number: int) -> None:
    said = run_and_refuse(Story(swift).tell, point, number)
    assert not list(swift.work.parent.rglob(f"{TEMP_PREFIX}*"))
    assert not said or os.strerror(number) in said
    assert number == errno.ENOSPC or "Make room" not in said
