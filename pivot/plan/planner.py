"""Walks the graph and asks for a decision for each stage, upstreams first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field

from pivot.code.analysis.model import AnalysedStage, Model
from pivot.errors import InputError, UnsafePath
from pivot.graph import Graph, Producers, build_graph, find_producers
from pivot.pipeline.paths import PathKey
from pivot.plan.decide import Candidate, StageFacts, decide
from pivot.plan.decision import Action, AlternativeResult, Change, Decision, Plan, Reason, ReasonKind
from pivot.plan.environment_drift import CurrentEnvironment, Drift, find_drift
from pivot.plan.explain import differences
from pivot.plan.external_inputs import identify_external
from pivot.plan.inputs import Inputs
from pivot.plan.known_results import Memory
from pivot.plan.policies import Policies
from pivot.plan.situation import Situation, situation_of, widen
from pivot.state.records import Output, Record
from pivot.store.odb.objects import Object


class _Deps(Struct):
    """Ids of a stage's deps as far as they are known, and what keeps the others from being known."""

    ids: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    missing: list[Change] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    provisional: set[str] = field(default_factory=set)


class Planner:
    """Decides for the stages of a model; a run tells it each outcome, and asks again what that changes."""

    def __init__(self, root: Path, model: Model, inputs: Inputs, memory: Memory, policies: Policies) -> None:
        key, specs = PathKey(root), [stage.spec for stage in model.stages()]
        self.broken = {stage.name: failure.file for failure in model.failures for stage in failure.stages}
        self.stages: dict[str, AnalysedStage] = {stage.name: stage for stage in (*model.stages(), *model.broken())}
        self.producers: Producers = find_producers(specs, key)
        # Of what is known from before no edge is made: it might be part of a cycle that is none any more.
        self.graph: Graph = build_graph(specs, self.producers).beside(self.broken)
        self._broken_producers = find_producers([stage.spec for stage in model.broken()], key)
        self._root = root
        self._inputs = inputs
        self._memory = memory
        self._policies = policies
        self._packages = {pipeline.file: pipeline.packages for pipeline in model.pipelines}
        self._forced: frozenset[str] = frozenset()
        self._alone: frozenset[str] = frozenset()
        self._asked: frozenset[str] = frozenset()
        self._outcomes: dict[str, Decision] = {}
        self._decisions: dict[str, Decision] = {}
        self._situations: dict[str, Situation] = {}

    def force(self, stages: Iterable[str]) -> None:
        """Run these stages whatever is known of them."""
        self._forced = frozenset(stages)

    def single_out(self, stages: Iterable[str]) -> None:
        """Take what these stages read from other stages as it stands, instead of asking whether it is up to date."""
        self._alone = frozenset(stages)

    def ask_for(self, stages: Iterable[str]) -> None:
        """The outputs of these stages are wanted here, even if they have to be pulled."""
        self._asked = frozenset(stages)

    def plan(self, names: Iterable[str]) -> Plan:
        wanted = set(names)
        return Plan({name: self.decide(name) for name in self.graph.order if name in wanted})

    def decide(self, name: str) -> Decision:
        """The decision for a stage as things stand; asks for its upstreams first."""
        todo = [name]
        while todo:
            open_upstreams = [above for above in self.graph.upstream[todo[-1]] if above not in self._decisions]
            if open_upstreams:
                todo += open_upstreams
            elif (next_one := todo.pop()) not in self._decisions:
                self._decisions[next_one] = self._decide(self.stages[next_one])
        return self._decisions[name]

    def unsure(self, name: str) -> set[str]:
        """Stages whose pipelines cannot be imported, and whose outputs a stage reads as they stand."""
        paths = self.stages[name].spec.dep_paths() if self.broken else []
        return {broken for path in paths for broken, _ in self._broken_producers.of(path)}

    def situation(self, name: str) -> Situation:
        """The situation of a stage all of whose inputs are known."""
        return self._situations[name]

    def files(self) -> set[str]:
        """Files of the code that the stages reach, as far as their situations are known."""
        known = [one.stage for one in self._situations.values()]
        return {entry.file for stage in (*self.stages.values(), *known) for entry in stage.manifest.entries}

    def sources(self) -> dict[str, str]:
        """Source texts by digest of the code that is not in the model, as far as situations are known."""
        stages = [one.stage for one in self._situations.values()]
        return {entry.digest: entry.source for stage in stages for entry in stage.manifest.entries if entry.source}

    def widened(self, situation: Situation, modules: Iterable[str]) -> Situation:
        """A situation in which the stage turned out to import these modules too: what its result is the result of."""
        static = situation_of(self.stages[situation.stage.name], situation.deps)
        return widen(static, self._root, {*self._memory.reach(static.static), *modules})

    def record_outcome(self, name: str, decision: Decision) -> None:
        """Tell how a stage ended; what reads its outputs is decided again when asked for.

        Stages further down are decided again when those in between have ended.
        """
        self._outcomes[name] = decision
        self._inputs.forget(self.stages[name].spec.out_paths())
        for stale in (name, *self.graph.downstream[name]):
            self._decisions.pop(stale, None)

    def take_outcomes(self, before: Planner) -> None:
        """Go on from where another planner of the same run stood."""
        self._outcomes = {name: one for name, one in before._outcomes.items() if name in self.stages}

    def _decide(self, stage: AnalysedStage) -> Decision:
        if (outcome := self._outcomes.get(stage.name)) is not None:
            return outcome
        if file := self.broken.get(stage.name):
            return Decision(
                stage.name, Action.BLOCKED, (Reason(ReasonKind.BROKEN, f"Pipeline cannot be imported: {file}"),)
            )
        deps = self._resolve(stage)
        known = not (deps.missing or deps.failed or deps.running)
        situation = self._situate(stage, deps.ids) if known else None
        decision = decide(self._view(stage, deps, situation))
        if decision.action is Action.RUN and deps.provisional:
            # What must run needs bytes that are lost: wait until its upstream has made them again.
            deps.running |= deps.provisional
            decision = decide(self._view(stage, deps, None))
        return decision

    def _situate(self, stage: AnalysedStage, ids: Mapping[str, str]) -> Situation:
        situation = situation_of(stage, ids)
        if modules := self._memory.reach(situation.static):
            situation = widen(situation, self._root, modules)
        self._situations[stage.name] = situation
        return situation

    def _view(self, stage: AnalysedStage, deps: _Deps, situation: Situation | None) -> StageFacts:
        fingerprint = situation.fingerprint if situation else None
        candidates, accepted = self._candidates(stage, fingerprint) if fingerprint else ((), "")
        drift = self._drift(stage, candidates[0].record) if candidates else Drift()
        past = None if candidates else self._memory.previous(stage.name)
        changes = differences(past, situation.stage if situation else stage, deps.ids, deps.sizes) if past else ()
        return StageFacts(
            stage=stage.name,
            fingerprint=fingerprint,
            candidates=candidates,
            changes=changes,
            first=past is None,
            failed=stage.name in self._memory.last.failed,
            forced=stage.name in self._forced,
            always=stage.spec.always,
            frozen=stage.spec.frozen,
            asked=self._inputs.elsewhere.everything or stage.name in self._asked or stage.name in self._read_in_part,
            no_remote=not self._inputs.elsewhere.configured and stage.name not in self._memory.last.by_stage,
            missing_inputs=tuple(deps.missing),
            drifted=drift.rerun,
            warnings=drift.warnings,
            accepted=accepted,
            rivals=tuple(self._rival(one.record) for one in candidates) if len(candidates) > 1 else (),
            failed_upstreams=tuple(sorted(deps.failed)),
            running_upstreams=tuple(sorted(deps.running)),
        )

    def _drift(self, stage: AnalysedStage, record: Record) -> Drift:
        surroundings = CurrentEnvironment(self._packages.get(stage.spec.file, {}), os.environ)
        return find_drift(self._memory.infos(record), surroundings, self._policies)

    def _candidates(self, stage: AnalysedStage, fingerprint: str) -> tuple[tuple[Candidate, ...], str]:
        """Results that hold for a fingerprint, the preferred one first, and who accepted them for it, if any."""
        records, accepted = self._memory.results(fingerprint), ""
        if not records:
            records, accepted = self._memory.accepted_as(fingerprint)
        # What was accepted, or made under another declaration of the same digest, must be what the stage declares now.
        found = [
            self._candidate(stage, record)
            for record in records
            if stage.spec.writes({path: out.mode for path, out in record.outs.items()})
        ]
        rank = self._memory.rank(stage.name, fingerprint)
        found.sort(
            key=lambda one: (not one.in_place, rank(one.record), bool(one.lost), bool(one.away), one.record.result)
        )
        return tuple(found), accepted

    def _candidate(self, stage: AnalysedStage, record: Record) -> Candidate:
        here = {path: self._standing(path) for path in stage.spec.out_paths()}
        absent: list[str] = []
        different: list[str] = []
        unstored: list[str] = []
        lost: list[str] = []
        away: list[str] = []
        for path, out in record.outs.items():
            stands = here.get(path)
            same = stands is not None and (stands.id, stands.mode) == (out.id, out.mode)
            if not same:
                (absent if stands is None else different).append(path)
            held = Object(out.id, out.mode, out.size)
            if not self._inputs.stored(held):
                (unstored if same else away if self._inputs.elsewhere.may_have(held) else lost).append(path)
        different += [path for path, stands in here.items() if stands and path not in record.outs]
        return Candidate(record, tuple(absent), tuple(different), tuple(unstored), tuple(lost), tuple(away))

    def _standing(self, path: str) -> Object | None:
        """What stands at an output's path; what cannot be read is no result, and replacing it says what is wrong."""
        try:
            return self._inputs.output_at(path)
        except (InputError, UnsafePath):
            return Object("", 0, 0)

    def _rival(self, record: Record) -> AlternativeResult:
        infos = self._memory.infos(record)
        return (
            AlternativeResult(record.result, infos[0].finished, infos[0].user, infos[0].host)
            if infos
            else AlternativeResult(record.result)
        )

    def _resolve(self, stage: AnalysedStage) -> _Deps:
        deps = _Deps()
        for path in stage.spec.dep_paths():
            self._resolve_path(stage, path, deps)
        for address in stage.spec.external_paths():
            if (external := identify_external(address, self._inputs)) is None:
                deps.missing.append(Change(address, None, None, str(stage.spec.where)))
            else:
                deps.ids[address] = external
        return deps

    def _resolve_path(self, stage: AnalysedStage, path: str, deps: _Deps) -> None:
        made_by = [] if stage.name in self._alone else self.producers.of(path)
        decisions = [self._decisions[name] for name, _ in made_by]
        stopped = {one.stage for one in decisions if one.action is Action.BLOCKED}
        running = {one.stage for one in decisions if one.action in (Action.RUN, Action.WAIT)}
        if stopped:
            deps.failed |= stopped
            return
        if len(made_by) == 1 and (found := self._from_upstream(path, made_by[0][1], decisions[0])) is not None:
            deps.ids[path], deps.sizes[path] = found.id, found.size
            deps.provisional |= running
            return
        # A directory that holds other stages' outputs is read as it stands, once they are in place.
        unready = running | {one.stage for one in decisions if one.action is Action.RESTORE}
        if unready:
            deps.running |= unready
        else:
            self._read(stage, path, deps)

    def _read(self, stage: AnalysedStage, path: str, deps: _Deps) -> None:
        """Take a dep as it stands in the work tree; what cannot be read blocks this stage alone."""
        try:
            stands, note = self._inputs.at(path), ""
        except (InputError, UnsafePath) as error:
            stands, note = None, error.what.replace(f"{self._root}/", "")
        withheld = "" if note or self.producers.of(path) else self._inputs.withheld(path, stands)
        if stands is not None and not withheld:
            deps.ids[path], deps.sizes[path] = stands.id, stands.size
        else:
            why = note or withheld or self._nobody_writes(path)
            deps.missing.append(Change(path, None, None, self._where(stage, path), why))

    def _from_upstream(self, path: str, out: str, decision: Decision) -> Object | None:
        if decision.record is None or not (held := _output(decision.record, out)):
            return None
        wanted, written = self.producers.key(path), self.producers.key(out)
        if wanted == written:
            return Object(held.id, held.mode, held.size)
        if not wanted.startswith(written + "/"):
            return None
        if not self._inputs.stored(Object(held.id, held.mode, held.size)):
            return None
        inside = path[len(out) + 1 :] if path.startswith(out + "/") else wanted[len(written) + 1 :]
        return self._inputs.find(held.id, inside)

    def _nobody_writes(self, path: str) -> str:
        broken = [stage for stage, _ in self._broken_producers.of(path)]
        if broken:
            return f"{broken[0]} writes it, and {self.broken[broken[0]]} cannot be imported"
        if made := self.producers.of(path):
            name = made[0][0]
            frozen = self.stages[name].spec.frozen
            return f"{name} is frozen and has no result" if frozen else f"{name} did not write it"
        if (meant := self.producers.closest(path)) is None:
            return "no stage writes it"
        stage, out = meant
        return f"no stage writes it; did you mean {out} of {stage} ({self.stages[stage].spec.where})?"

    @cached_property
    def _read_in_part(self) -> set[str]:
        """Stages whose outputs somebody reads a part of, or a folder above: what that is, only the bytes tell."""
        if not self._inputs.elsewhere.remote:
            return set()
        deps = {path for stage in self.stages.values() for path in stage.spec.dep_paths()}
        made = [(path, name, out) for path in deps for name, out in self.producers.of(path)]
        return {name for path, name, out in made if self.producers.key(path) != self.producers.key(out)}

    def _where(self, stage: AnalysedStage, path: str) -> str:
        return next(str(dep.where) for dep in stage.spec.deps if path in dep.paths)


def _output(record: Record, path: str) -> Output | None:
    return record.outs.get(path)
