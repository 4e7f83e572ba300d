"""What a run is asked for: which stages, and how to go about the work."""

from __future__ import annotations

from msgspec import Struct

from pivot.errors import TargetError
from pivot.plan.planner import Planner
from pivot.plan.targets import select, stages_around


class RunOptions(Struct, frozen=True):
    """`jobs` stages at a time; `verb` is what the run history calls this run.

    `budget` is in seconds: a stage that would take longer than what is left of it is not started. With `discard_edits`
    what users wrote into outputs is not put away before it is replaced. At `terminal` (a path) the debugger opens when
    a stage raises.
    """

    jobs: int
    keep_going: bool = False
    budget: float | None = None
    discard_edits: bool = False
    verb: str = "repro"
    terminal: str = ""


class Selection(Struct, frozen=True):
    """`targets` as typed, `folder` they are typed in; `failed` (if asked for) are the stages that failed last time.

    Without any of these it is about the pipelines of the folder, or with `everything` about all of the repository.
    `force` runs the named stages whatever is known; `single` leaves their upstreams as they are.
    """

    targets: tuple[str, ...] = ()
    folder: str = ""
    everything: bool = False
    force: bool = False
    single: bool = False
    failed: tuple[str, ...] | None = None

    def apply(self, planner: Planner) -> list[str]:
        """Tell the planner what is asked for, forced and singled out; the stages of the run in running order.

        Raises:
            TargetError: a target names nothing.
        """
        named = self.named(planner)
        planner.ask_for(named if self.targets or self.single else self._final(planner, named))
        if self.force:
            planner.force(named)
        if self.single:
            planner.single_out(named)
            return named
        wanted = planner.graph.with_upstreams(named)
        return [name for name in planner.graph.order if name in wanted]

    def _final(self, planner: Planner, named: list[str]) -> list[str]:
        """Those whose outputs no other of them reads: what a run of everything is for."""
        wanted = set(named)
        return [name for name in named if not wanted.intersection(planner.graph.downstream[name])]

    def named(self, planner: Planner) -> list[str]:
        """The stages that it names, without their upstreams, in running order."""
        if self.everything and self.targets:
            raise TargetError("--all is every stage of the repository", hint="Leave it out, or the names.")
        if self.single and not self.targets and self.failed is None:
            raise TargetError("--single needs a stage", hint="Name it: `git pivot repro --single STAGE`.")
        specs = [stage.spec for stage in planner.stages.values()]
        if self.targets:
            return select(self.targets, specs, planner.graph, self.folder)
        if self.failed is not None:
            return [name for name in planner.graph.order if name in self.failed]
        around = set(planner.stages) if self.everything else stages_around(self.folder, specs)
        return [name for name in planner.graph.order if name in around]
