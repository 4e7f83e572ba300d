"""User edits in outputs, kept before they are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from pivot.errors import StoreError
from pivot.store.odb import crash_points
from pivot.store.odb.objects import Object
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store
from pivot.store.worktree.saved_edits import Saved


class Keeper(Struct, frozen=True):
    """Puts user edits away before a path is replaced. `root` is the repository's, absolute.

    Where nothing stays (not `lasting`), nothing can be put away, so that what would be lost may not be replaced.
    """

    root: Path
    store: Store
    stats: StatCache
    saved: Saved
    lasting: bool = True

    def keep(self, path: Path, why: str) -> Object | None:
        """Put away what is at `path`, if some of its bytes are nowhere in the store.

        Raises:
            StoreError: nothing can be put away.
        """
        if not self.store.unknown(path, self.stats):
            return None
        if not self.lasting:
            name = path.relative_to(self.root).as_posix()
            raise StoreError(
                f"{name} is left as it is: it has edits that exist nowhere else, and they cannot be saved",
                where="the Git directory is not writable",
                hint="Move the file away, or run `git pivot repro --discard-edits` to lose the edits.",
            )
        return self.put_away(path, why)

    def put_away(self, path: Path, why: str, left: str = "") -> Object:
        """Store what stands at `path` and log it; with `left` it comes back with that commit."""
        held = self.store.put(path, self.stats)
        crash_points.point("keep:stored")
        self.saved.append(path.relative_to(self.root).as_posix(), held, why, left=left)
        return held


def keep_edits(keeper: Keeper, paths: Sequence[Path], why: str) -> dict[Path, Object]:
    """Keep what a command is about to replace; what was kept, by path."""
    kept = {path: keeper.keep(path, why) for path in paths}
    return {path: held for path, held in kept.items() if held is not None}
