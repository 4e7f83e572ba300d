"""What the analysis wants said: where it had to be coarse, and what it cannot track."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.code.analysis.model import Model
from pivot.code.graph.manifest import Remark


def remark_lines(model: Model) -> Iterator[str]:
    """A line for each thing that cannot be tracked, once for the repository."""
    remarks = [one for pipeline in model.pipelines for one in pipeline.remarks]
    remarks += [one for stage in model.stages() for one in stage.manifest.remarks]
    for remark in dict.fromkeys(remarks):
        if remark.kind == "untracked":
            yield f"warning: {untracked(remark)}"
        elif remark.kind == "outside":
            yield f"warning: {remark.name} is outside the repository: {remark.why}"
        elif remark.kind == "unused":
            yield f"warning: nothing is taken from {remark.file}: {remark.why}"


def untracked(remark: Remark) -> str:
    text = f"not tracked: {remark.name} ({remark.file}:{remark.line}), because {remark.why}"
    return f"{text}; to track it: {remark.mend}" if remark.mend else text
