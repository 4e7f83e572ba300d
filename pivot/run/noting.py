"""The note on HEAD: for each stage its result, or that it is stale, or that this cannot be told from here."""

from __future__ import annotations

from pivot.git.index import differences, tracked
from pivot.git.notes import NoteLine, Notes
from pivot.pipeline.params_file import NAMES
from pivot.plan.decision import Action, Decision
from pivot.plan.planner import Planner
from pivot.project import Project


def note_head(project: Project, planner: Planner) -> bool:
    """Write what is true of the commit that is checked out; False without a commit, or where the note says so already.

    A stage whose inputs differ between commit and work tree, or are hidden from Git, is noted as unknown: what was
    found out here says nothing about the commit.
    """
    commit = project.backend.resolve("HEAD")
    tree = project.backend.tree_of("HEAD") if commit else None
    if commit is None or tree is None:
        return False
    plan = planner.plan(planner.graph.order)
    paths = _there(project, input_paths(planner))
    unknown = unknown_stages(planner, set(differences(project.location, paths)))
    lines = [_line(plan.decisions[name], tree[:12], unknown=name in unknown) for name in planner.graph.order]
    notes = Notes(project.backend)
    known = {line for group in notes.read(commit).values() for line in group}
    if known.issuperset(lines):
        return False
    notes.write({commit: lines}, f"{commit[:12]}: {len(lines)} stages", project.author)
    return True


def input_paths(planner: Planner) -> set[str]:
    """Every path in the repository that is input of a stage and output of none."""
    return {path for name in planner.stages for path in _inputs(planner, name)}


def unknown_stages(planner: Planner, differing: set[str]) -> set[str]:
    """Stages of which an input differs between commit and work tree, or cannot be told, with all that need them."""
    direct = [
        name
        for name in planner.stages
        if name in planner.broken or planner.unsure(name) or differing.intersection(_inputs(planner, name))
    ]
    return planner.graph.with_downstreams(direct)


def _inputs(planner: Planner, name: str) -> list[str]:
    stage = planner.stages[name]
    raw = [path for path in stage.spec.dep_paths() if not planner.producers.of(path)]
    # An object made where no file says so, such as a custom loader, has none.
    code = {entry.file for entry in stage.manifest.entries if entry.file} | set(stage.manifest.passing)
    folder = stage.spec.file.rpartition("/")[0]
    params = [f"{folder}/{name}".lstrip("/") for name in NAMES] if stage.spec.params else []
    return [*raw, *sorted(code), stage.spec.file, *params]


def _there(project: Project, paths: set[str]) -> set[str]:
    """Without params files that are neither in the work tree nor in Git: what is nowhere does not differ."""
    absent = {path for path in paths if path.endswith(NAMES) and not (project.root / path).exists()}
    return paths - (absent - tracked(project.location, absent) if absent else set())


def _line(decision: Decision, tree12: str, *, unknown: bool) -> NoteLine:
    record = decision.record
    if unknown:
        return NoteLine(decision.stage, "unknown", tree12)
    if record is None or decision.action not in (Action.KEEP, Action.RESTORE):
        return NoteLine(decision.stage, "stale", tree12)
    outs = tuple(sorted((path, out.id) for path, out in record.outs.items()))
    return NoteLine(decision.stage, "result", tree12, record.fingerprint, record.result, outs)
