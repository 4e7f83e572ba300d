"""Which outputs a push gives and a pull brings: by what is new here, by what a commit stands on, or by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

import xxhash
from msgspec import Struct, field

from pivot.errors import TargetError
from pivot.files import write_atomic
from pivot.git.odb.backend import TREE
from pivot.history.run_log import RunHistory
from pivot.history.snapshot import Snapshots
from pivot.plan.known_results import LastResults
from pivot.plan.targets import near_name
from pivot.project import Project
from pivot.run.recorder import as_objects
from pivot.state.records import Record
from pivot.store.exchange import WantedRoot
from pivot.sync.remote.config import named_remotes
from pivot.sync.transfer.download import Receiving
from pivot.sync.transfer.transfer import Transfer
from pivot.sync.transfer.upload import MOST_BASES, Sending

_BEFORE = 300  # runs further back in which older versions of an output are looked for


class OutputSelection(Struct, frozen=True):
    """What the user named: stages, paths or globs (repository-relative), a revision, or everything that is known."""

    targets: tuple[str, ...] = ()
    revision: str | None = None
    everything: bool = False

    @property
    def is_default(self) -> bool:
        return not (self.targets or self.revision or self.everything)


class Bringing(Struct):
    """What a pull is to bring: `outs` by path for the work tree, and what is lacking here."""

    plan: Receiving
    outs: dict[str, WantedRoot] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


class Sharing:
    """Outputs of one project's records, and a transfer to give or bring them with."""

    def __init__(self, project: Project, transfer: Transfer) -> None:
        self._project = project
        self._transfer = transfer
        self._store = project.store

    def plan_push(self, selection: OutputSelection) -> Sending:
        """What the remote lacks of the selection; by default of all that was recorded here since the last push to it.

        Outputs whose bytes are not here are left out: whoever has them pushes them.

        Raises:
            TargetError: the selection names nothing.
        """
        if selection.targets:
            named = self.named(selection)
            return self._transfer.plan_send(self._here(named.values()), self._bases(named))
        records = list(self._records_to_push(selection))
        self._transfer.expect(roots_of(records))
        there = self._transfer.there(WantedRoot(one.tree, TREE) for one in records)
        lacking = [one for one in records if one.tree not in there]
        standing = list(roots_of(one for one in records if one.tree in there))
        roots = [root for one in lacking for root in self._roots_here(one)]
        outs = outs_of(*lacking)
        return self._transfer.plan_send(roots, self._bases(outs), standing) if records else Sending()

    def remember_push(self, selection: OutputSelection, tip: str | None) -> None:
        """All that was recorded up to `tip` is there now; the next push begins after it. Costs only time if lost."""
        if (selection.is_default or selection.everything) and not selection.targets and tip:
            write_atomic(self._memory, tip.encode())

    def plan_pull(self, selection: OutputSelection) -> Bringing:
        """What is lacking here of the selection; by default of what HEAD stands on.

        Raises:
            TargetError: the selection names nothing, or nobody has noted what the revision stands on.
        """
        if selection.everything:
            records = list(self._all_records())
            outs: dict[str, WantedRoot] = {}
            roots = [root for one in records for root in outs_of(one).values()]
        else:
            records = list(self._stages_for(selection).values())
            outs = self.named(selection)
            roots = list(outs.values())
        missing = self._transfer.missing_here(roots)
        bases = self._bases({root.path: root for root in missing})
        return Bringing(self._transfer.plan_receive(missing, bases), outs, records)

    def remember_pull(self, bringing: Bringing) -> None:
        """Keep the lists of outputs of the records whose bytes have come."""
        whole = [as_objects(one.outs) for one in bringing.records if self._is_whole(one)]
        if whole and bringing.plan.roots:
            self._store.put_trees(whole)

    def named(self, selection: OutputSelection) -> dict[str, WantedRoot]:
        """The outputs that targets name, by path; without targets all of them.

        Raises:
            TargetError: a target names nothing.
        """
        stages = self._stages_for(selection)
        if not selection.targets:
            return outs_of(*stages.values())
        found: dict[str, WantedRoot] = {}
        for target in selection.targets:
            named = self._named(target, stages)
            if not named:
                names = ", ".join(one.name for one in named_remotes(self._project.settings))
                raise TargetError(
                    f"no stage and no output with a known result matches {target}",
                    hint=near_name(target, [*stages, *outs_of(*stages.values())])
                    or f"`git pivot show` lists the results of a commit. Remotes: {names}",
                )
            found |= named
        return found

    def _stages_for(self, selection: OutputSelection) -> dict[str, Record]:
        """Whoever names nothing means HEAD: a stage that is gone from there has no outputs any more."""
        return self.stages(selection.revision, also_others=bool(selection.targets))

    def stages(self, revision: str | None, *, also_others: bool = True) -> dict[str, Record]:
        """The record of each stage: what the revision's note says; for HEAD also what ran here last.

        Without `also_others` only of stages that the note names, if there is one.

        Raises:
            TargetError: nothing is known.
        """
        last = self._last() if revision is None else {}
        try:
            snapshot = Snapshots(self._project.backend, self._project.runs).read(revision or "HEAD")
        except TargetError:
            if not last:
                raise
            return last
        if not also_others:
            last = {name: record for name, record in last.items() if name in snapshot.stages}
        noted = {name: [one.record for one in held if one.record] for name, held in snapshot.stages.items()}
        return last | {name: self._preferred(held) for name, held in noted.items() if held}

    @property
    def _memory(self) -> Path:
        name = xxhash.xxh3_64_hexdigest(self._transfer.remote.url.encode("utf-8", "surrogateescape"))
        return self._project.cache_dir / "pushed" / name

    def _records_to_push(self, selection: OutputSelection) -> Iterator[Record]:
        if selection.everything:
            yield from self._all_records()
            return
        if selection.revision is None:
            yield from self._records(self._project.runs.added_since(self._pushed()))
            with suppress(TargetError):
                yield from self.stages(None).values()
            return
        yield from self.stages(selection.revision).values()

    def _pushed(self) -> str | None:
        try:
            return self._memory.read_text().strip() if self._transfer.remote.exists() else None
        except FileNotFoundError:
            return None

    def _all_records(self) -> Iterator[Record]:
        yield from self._records(self._project.runs.fingerprints())

    def _records(self, names: Iterable[tuple[str, str]]) -> Iterator[Record]:
        wanted: dict[str, set[str]] = {}
        for fingerprint, result in names:
            wanted.setdefault(fingerprint, set()).add(result)
        for fingerprint, results in wanted.items():
            for found in self._project.runs.lookup(fingerprint):
                if found.result in results:
                    yield found.record

    def _last(self) -> dict[str, Record]:
        by_stage = LastResults(self._project.cache_dir / "last").by_stage
        found = {stage: list(self._records([name])) for stage, name in by_stage.items()}
        return {stage: held[0] for stage, held in found.items() if held}

    def _preferred(self, records: Sequence[Record]) -> Record:
        """Of several results of one stage the one whose bytes are here."""
        if len(records) == 1:
            return records[0]
        return next(iter([*(one for one in records if self._is_whole(one)), *records]))

    def _roots_here(self, record: Record) -> list[WantedRoot]:
        """The tree of all outputs where they are all here, else those that are."""
        outs = as_objects(record.outs)
        if self._is_whole(record):
            return [WantedRoot(self._store.put_tree(outs), TREE)] if outs else []
        return self._here(outs_of(record).values())

    def _here(self, roots: Iterable[WantedRoot]) -> list[WantedRoot]:
        given = list(roots)
        missing = {root.id for root in self._transfer.missing_here(given)}
        return [root for root in given if root.id not in missing]

    def _is_whole(self, record: Record) -> bool:
        return all(map(self._store.has, as_objects(record.outs).values()))

    def _named(self, target: str, stages: Mapping[str, Record]) -> dict[str, WantedRoot]:
        by_stage = [
            record
            for name, record in stages.items()
            if target in (name, name.partition("@")[0]) or fnmatchcase(name, target)
        ]
        if by_stage:
            return outs_of(*by_stage)
        outs = outs_of(*stages.values())
        below = {path: root for path, root in outs.items() if not target or f"{path}/".startswith(f"{target}/")}
        if below:
            return below
        for path, root in outs.items():
            if target.startswith(f"{path}/") and (inside := self._transfer.find(root, target[len(path) + 1 :])):
                return {target: inside}
        return {path: root for path, root in outs.items() if fnmatchcase(path, target)}

    def _bases(self, outs: Mapping[str, WantedRoot]) -> list[str]:
        """The trees of older results at these paths, the newest first: what comes is written as differences to them."""
        if not outs:
            return []
        found: dict[str, None] = {}
        for run in itertools.islice(RunHistory(self._project.backend).runs(), _BEFORE):
            held = run.record.outs
            if any(path in held and held[path].id != root.id for path, root in outs.items()):
                found[run.record.tree] = None
            if len(found) >= MOST_BASES:
                break
        return list(found)


def outs_of(*records: Record) -> dict[str, WantedRoot]:
    """The outputs of records by path; of two with one path that of the later record."""
    return {path: WantedRoot(out.id, out.mode, path) for record in records for path, out in record.outs.items()}


def roots_of(records: Iterable[Record]) -> Iterator[WantedRoot]:
    """What records rely on in a remote: the tree of the outputs of each, and each of these."""
    for record in records:
        yield WantedRoot(record.tree, TREE)
        yield from outs_of(record).values()
