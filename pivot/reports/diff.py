"""How stages differ between two commits, or a commit and the work tree: in explain's form, as a list, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pivot.history.compare import Difference
from pivot.plan.decision import Reason
from pivot.reports.explain import Source, change_lines
from pivot.reports.status import reason_documents
from pivot.reports.units import first

_STATUS = {"changed": "DIFFERS", "new": "NEW", "gone": "GONE"}


def difference_lines(difference: Difference, source: Source | None = None) -> Iterator[str]:
    """One stage in the form of `status --explain`."""
    yield f"Stage: {difference.stage}"
    yield f"  Status: {_STATUS[difference.status]}"
    yield from (f"  Reason: {reason.text}" for reason in difference.reasons)
    yield from change_lines(difference.reasons, source)


def stage_lines(differences: Sequence[Difference]) -> Iterator[str]:
    """One line a stage that differs."""
    width = max((len(one.stage) for one in differences), default=0)
    for one in differences:
        yield f"{one.stage:<{width}}  {'; '.join(map(in_short, one.reasons)) or one.status}"
    yield f"{_counted(differences)}."


def markdown_lines(differences: Sequence[Difference], sides: str) -> Iterator[str]:
    """A comment for a pull request."""
    yield f"**{_counted(differences)}** in `{sides}`"
    if not differences:
        return
    yield ""
    yield "| stage | why | outputs |"
    yield "|---|---|---|"
    for one in differences:
        why = "<br>".join(map(in_short, one.reasons)) or one.status
        outs = "<br>".join(f"`{path}`" for path in one.outs)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in (f"`{one.stage}`", why, outs)) + " |"


def _counted(differences: Sequence[Difference]) -> str:
    return "1 stage differs" if len(differences) == 1 else f"{len(differences)} stages differ"


def in_short(reason: Reason) -> str:
    """`code changed: func:normalize, func:load and 2 more`."""
    names = [change.name for change in reason.changes]
    if not names:
        return reason.text[0].lower() + reason.text[1:]
    return f"{reason.why}: {first(names, 3)}"


def diff_document(differences: Sequence[Difference], old: str, new: str | None) -> dict[str, object]:
    """`diff --json`; `new` is None for the work tree."""
    return {"version": 1, "old": old, "new": new, "stages": [_document(one) for one in differences]}


def _document(one: Difference) -> dict[str, object]:
    outs = [
        {"path": path, "old": old.id if old else None, "new": new.id if new else None}
        for path, (old, new) in one.outs.items()
    ]
    return {"stage": one.stage, "status": one.status, "reasons": reason_documents(one.reasons), "outs": outs}
