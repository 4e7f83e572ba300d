"""The page of figures: a summary of ratios, then a table for each operation of each workload."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.compare.race import Finding, Row, Section
from benchmarks.ratios import Sample

OURS = "Pivot"


def page(head: str, sections: Sequence[Section]) -> str:
    parts = [head.rstrip(), _summary(sections)]
    parts += [_section(section) for section in sections]
    return "\n\n".join(parts) + "\n"


def _summary(sections: Sequence[Section]) -> str:
    """CPU time of each tool, in that of ours."""
    names = list(dict.fromkeys(row.contestant for section in sections for row in section.rows if not row.is_floor))
    names = [name for name in names if name != OURS and "," not in name]
    lines = ["| | floor | " + " | ".join(names) + " |", "|---|---:|" + "---:|" * len(names)]
    for section in sections:
        for operation in _operations(section):
            rows = {row.contestant: row for row in section.rows if row.operation == operation}
            ours = rows.get(OURS)
            if ours and ours.samples:
                floor = next((row for row in rows.values() if row.is_floor), None)
                cells = [_ratio_cell(row, ours) for row in (floor, *(rows.get(name) for name in names))]
                lines.append(f"| {section.title}: {operation} | {' | '.join(cells)} |")
    return "## CPU time, in that of Pivot\n\n" + "\n".join(lines)


def _ratio_cell(row: Row | None, ours: Row) -> str:
    if row is None:
        return ""
    if not row.samples or row.note:
        return "–"
    wrong = row.finding is not None and not row.finding.right
    return f"{_number(_cpu(row.samples) / _cpu(ours.samples))}{' ✗' if wrong else ''}"


def _section(section: Section) -> str:
    return "\n\n".join(
        [f"## {section.title}", section.about, *(_table(section, operation) for operation in _operations(section))]
    )


def _table(section: Section, operation: str) -> str:
    rows = [row for row in section.rows if row.operation == operation]
    ours = next((row.samples for row in rows if row.contestant == OURS), [])
    lines = [
        f"**{operation}**\n",
        "| | CPU, s | x Pivot | wall, s | x Pivot | spread of wall, s | what it did |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    each = section.count if operation == "first run" else 0
    return "\n".join([*lines, *(_line(row, ours, each) for row in rows)])


def _line(row: Row, ours: Sequence[Sample], each: int) -> str:
    """A row; where the steps are many, with the CPU time for each of them."""
    if not row.samples or row.note:
        return f"| {row.contestant} | | | | | | {row.note} |"
    walls = [sample.wall for sample in row.samples]
    cpu, wall = _cpu(row.samples), statistics.median(walls)
    did = _did(row.finding)
    if each and not row.is_floor:
        did = f"{did}; {cpu * 1000 / each:.1f} ms of CPU a step"
    ratios = [_number(cpu / _cpu(ours)), _number(wall / statistics.median(s.wall for s in ours))] if ours else ["", ""]
    return (
        f"| {row.contestant} | {_number(cpu)} | {ratios[0]} | {_number(wall)} | {ratios[1]} "
        f"| {_spread(walls)} | {did} |"
    )


def _spread(walls: Sequence[float]) -> str:
    return f"{_number(min(walls))} to {_number(max(walls))}" if len(walls) > 1 else "measured once"


def _did(finding: Finding | None) -> str:
    if finding is None:
        return "floor"
    if not finding.right:
        of = f" of {finding.needed} that had to" if finding.needed else ""
        return f"✗ outputs are not right, {_steps(finding.ran)} ran{of}"
    if finding.ran == finding.needed:
        return f"{_steps(finding.ran)} ran" if finding.ran else "right, and nothing ran"
    return f"{_steps(finding.ran)} ran, {finding.needed or 'none'} had to"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count:,} steps"


def _operations(section: Section) -> list[str]:
    return list(dict.fromkeys(row.operation for row in section.rows))


def _cpu(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.cpu for sample in samples)


def _number(value: float) -> str:
    """Three digits that say something."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
