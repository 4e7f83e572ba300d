"""The store of outputs. What other parts need: `Store`, `Object`, `StatCache`, `Saved`, and `workspace`."""

from pivot.store.objects import Object, Problem
from pivot.store.saved import Saved, SavedEntry
from pivot.store.stat_cache import StatCache
from pivot.store.store import Store

__all__ = ["Object", "Problem", "Saved", "SavedEntry", "StatCache", "Store"]
