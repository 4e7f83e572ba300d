"""What is remembered of a stage: results by fingerprint, and which one this work tree or its branch stood on last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from pivot.files import write_atomic
from pivot.plan.explain import Past
from pivot.state.accepted import Accepted
from pivot.state.notes import NoteLine
from pivot.state.records import Info, Record
from pivot.state.run_cache import RunCache


class LastResults(Struct, dict=True):
    """How this work tree's last runs ended: `cache/last`, JSON, may be deleted at any time.

    `by_stage` holds `stage -> (fingerprint, result)`, `failed` the stages that failed in the last run.
    """

    path: Path
    _changed: bool = False

    @cached_property
    def _stored(self) -> dict[str, Any]:
        try:
            stored = json.loads(self.path.read_bytes())
            return stored if isinstance(stored, dict) else {}
        except (OSError, ValueError, RecursionError):
            return {}  # a cache: absent or damaged costs the comparison with the last run, nothing else

    @cached_property
    def by_stage(self) -> dict[str, tuple[str, str]]:
        results = self._stored.get("results")
        pairs = results.items() if isinstance(results, dict) else ()
        return {name: (pair[0], pair[1]) for name, pair in pairs if _is_pair(pair)}

    @property
    def failed(self) -> tuple[str, ...]:
        failed = self._stored.get("failed")
        return tuple(name for name in failed if isinstance(name, str)) if isinstance(failed, list) else ()

    def remember(self, stage: str, fingerprint: str, result: str) -> None:
        if self.by_stage.get(stage) != (fingerprint, result):
            self.by_stage[stage] = (fingerprint, result)
            self._changed = True

    def remember_failed(self, stages: Iterable[str]) -> None:
        failed = list(stages)
        if failed != list(self.failed):
            self._stored["failed"] = failed
            self._changed = True

    def keep_endings(self, endings: Mapping[str, str]) -> None:
        """Write down how a run ended: what went well has not failed last, what did not end at all is as it was."""
        failed = [name for name, ending in endings.items() if ending == "failed"]
        well = {name for name, ending in endings.items() if ending in ("ran", "restored", "unchanged")}
        self.remember_failed([*(name for name in self.failed if name not in {*well, *failed}), *failed])
        self.save()

    def save(self) -> None:
        if self._changed:
            stored = {"results": self.by_stage, "failed": list(self.failed)}
            write_atomic(self.path, json.dumps(stored).encode())
            self._changed = False


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)


class Memory(Struct, frozen=True):
    """Answers from the run cache, accepted changes, HEAD's note (`head`) and this work tree's last results (`last`)."""

    runs: RunCache
    accepted: Accepted
    head: Mapping[str, tuple[NoteLine, ...]]
    last: LastResults
    _seen: dict[str, list[Record]] = field(default_factory=dict)

    def results(self, fingerprint: str) -> list[Record]:
        if fingerprint not in self._seen:
            self._seen[fingerprint] = [found.record for found in self.runs.lookup(fingerprint)]
        return self._seen[fingerprint]

    def refresh(self) -> None:
        """Look at the run cache again: it has new records."""
        self._seen.clear()
        self.runs.refresh()
        self.accepted.refresh()

    def reach(self, static: str) -> list[str]:
        """Modules that earlier runs of a situation imported beyond what the analysis sees."""
        return self.runs.reach(static)

    def previous(self, stage: str) -> Past | None:
        """The record to compare a stage with: the last in this work tree, else the one HEAD's note names."""
        noted = [(line.fingerprint, line.result) for line in self.head.get(stage, ()) if line.fingerprint]
        for fingerprint, result in (*filter(None, [self.last.by_stage.get(stage)]), *noted):
            for found in self.runs.lookup(fingerprint):
                if found.result == result:
                    infos = self.runs.infos(fingerprint, found.result)
                    own = [info for info in infos if info.stage == stage] or infos
                    return Past(found.record, own[0] if own else None)
        return None

    def seconds(self, stage: str) -> float | None:
        """How long the stage took when it ran last; None where that is not known."""
        past = self.previous(stage)
        return past.info.seconds if past and past.info else None

    def infos(self, record: Record) -> list[Info]:
        """What is said about the runs that gave a record, the newest first."""
        return self.runs.infos(record.fingerprint, record.result)

    def accepted_as(self, fingerprint: str) -> tuple[list[Record], str]:
        """The record that a person let count for a situation, and a sentence about who and why."""
        found = self.accepted.find(fingerprint)
        if found is None:
            return [], ""
        records = [one for one in self.results(found.fingerprint) if one.result == found.result]
        return records, f"accepted by {found.who} at {found.when}: {found.why}" if records else ""

    def rank(self, stage: str, fingerprint: str) -> Callable[[Record], int]:
        """Order among several results of one fingerprint: this work tree's last, then HEAD's note's, then others."""
        last = self.last.by_stage.get(stage)
        noted = {line.result for line in self.head.get(stage, ()) if line.fingerprint == fingerprint}

        def rank(record: Record) -> int:
            if last == (fingerprint, record.result):
                return 0
            return 1 if record.result in noted else 2

        return rank
