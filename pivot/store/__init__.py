"""The store of outputs. What other parts need: `Store`, `Object`, `StatCache`, `Saved`, and `workspace`."""

from pivot.store.odb.objects import Object, ObjectProblem
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store
from pivot.store.worktree.saved_edits import Saved, SavedEntry

__all__ = ["Object", "ObjectProblem", "Saved", "SavedEntry", "StatCache", "Store"]
