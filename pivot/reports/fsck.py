"""What a check of the store found, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.git.plumbing.quoting import quoted
from pivot.maintenance.fsck import Checked, Loss
from pivot.reports.usage import counted


def fsck_lines(checked: Checked, remote: str = "") -> Iterator[str]:
    """What is lost, here or on a remote, by record and output, with what brings it back; then the totals."""
    yield from checked.refused
    yield from checked.unreadable
    for loss in checked.losses:
        yield f"{loss.stage} {loss.fingerprint[:12]}: {quoted(loss.path)}"
        for problem in loss.problems:
            yield f"  {problem.what}: {quoted(problem.path or loss.path)} ({problem.id[:12]})"
        yield f"  again: {loss.again}"
    if checked.mended and remote:
        yield f"sent to {remote} again: {counted(checked.mended, 'object')}"
    elif checked.mended:
        yield f"written again from their records: {counted(checked.mended, 'damaged list')} of outputs"
    if checked.absent and remote:
        yield f"not on {remote}: {counted(checked.absent, 'result')} (git pivot push --all)"
    elif checked.absent:
        yield f"made elsewhere and never brought here: {counted(checked.absent, 'result')} (git pivot pull)"
    lost = len({(loss.fingerprint, loss.result) for loss in checked.losses})
    what = f"{counted(checked.records, 'result')} with {counted(checked.objects, 'object')}"
    yield f"checked {what}: {lost or 'none'} of them lost something"


def fsck_document(checked: Checked) -> dict[str, object]:
    return {
        "version": 1,
        "sound": checked.sound,
        "records": checked.records,
        "objects": checked.objects,
        "absent": checked.absent,
        "mended": checked.mended,
        "refused": checked.refused,
        "unreadable": checked.unreadable,
        "losses": [_loss(loss) for loss in checked.losses],
    }


def _loss(loss: Loss) -> dict[str, object]:
    problems = [{"what": one.what, "path": one.path, "id": one.id} for one in loss.problems]
    return {
        "stage": loss.stage,
        "fingerprint": loss.fingerprint,
        "result": loss.result,
        "path": loss.path,
        "problems": problems,
        "again": loss.again,
    }
