"""The run history as text or JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from pivot.history.run_log import RunLogEntry
from pivot.plan.decision import Reason
from pivot.reports.show import info_document, run_text
from pivot.reports.status import reason_documents
from pivot.reports.units import first, seconds, size


def log_lines(entries: Sequence[RunLogEntry], results: Mapping[str, int], accepted: Sequence[str]) -> Iterator[str]:
    """A line a run, with what changed since the one before; `results` counts the results of a fingerprint."""
    for entry in entries:
        record, info = entry.run.record, entry.run.info
        yield f"{info.stage}  {record.fingerprint[:8]}  {run_text(info)}"
        yield from (f"    {text}" for text in _changes(entry))
        if results.get(record.fingerprint, 1) > 1:
            yield f"    not deterministic: {results[record.fingerprint]} results, this one {record.result}"
    yield from (f"accepted: {line}" for line in accepted)


def _changes(entry: RunLogEntry) -> Iterator[str]:
    if entry.before is None:
        yield "no run of it before is known"
        return
    reasons = entry.reasons()
    yield from map(_short, reasons)
    if not reasons:
        same = entry.before.record.result == entry.run.record.result
        yield "the same again" if same else "the same again, with another result"


def _short(reason: Reason) -> str:
    names = [f"{change.name} ({change.where})" if change.where else change.name for change in reason.changes]
    return f"{reason.why}: {first(names, 3)}"


def log_document(entries: Sequence[RunLogEntry], results: Mapping[str, int]) -> dict[str, object]:
    """`log --json`."""
    return {"version": 1, "runs": [_document(entry, results) for entry in entries]}


def _document(entry: RunLogEntry, results: Mapping[str, int]) -> dict[str, object]:
    record = entry.run.record
    return {
        **info_document(entry.run.info),
        "fingerprint": record.fingerprint,
        "result": record.result,
        "results": results.get(record.fingerprint, 1),
        "outs": [{"path": path, "id": out.id, "size": out.size} for path, out in sorted(record.outs.items())],
        "before": entry.before.record.fingerprint if entry.before else None,
        "changes": reason_documents(entry.reasons()),
    }


def stats_rows(entries: Sequence[RunLogEntry]) -> list[dict[str, object]]:
    """For each stage how often it ran, how long that took, CPU seconds and peak memory; the longest in total first."""
    by_stage: dict[str, list[RunLogEntry]] = {}
    for entry in entries:
        by_stage.setdefault(entry.run.info.stage, []).append(entry)
    rows = []
    for stage, held in by_stage.items():
        times = [entry.run.info.seconds for entry in held]
        rows.append(
            {
                "stage": stage,
                "runs": len(held),
                "seconds": round(sum(times), 3),
                "median": round(statistics.median(times), 3),
                "longest": max(times),
                "cpu": round(sum(entry.run.info.cpu for entry in held), 3),
                "memory": max(entry.run.info.memory for entry in held),
                "last": held[0].run.info.finished,
            }
        )
    return sorted(rows, key=lambda row: (-float(str(row["seconds"])), str(row["stage"])))


def stats_lines(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """`log --stats`, one line a stage under a heading."""
    table: list[tuple[str, ...]] = [("stage", "runs", "total", "median", "longest", "cpu", "memory", "last")]
    for row in rows:
        times = [seconds(float(str(row[key]))) for key in ("seconds", "median", "longest", "cpu")]
        table.append((str(row["stage"]), str(row["runs"]), *times, size(int(str(row["memory"]))), str(row["last"])))
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
