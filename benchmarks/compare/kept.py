"""Figures that are kept from one comparison to the next: JSON, a section each, with the day it was measured."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.compare.race import Finding, Row, Section
from benchmarks.compare.schedule import WORKLOADS
from benchmarks.ratios import Sample


@dataclass(frozen=True, slots=True)
class Results:
    """All sections in the order of the workloads, and what was measured."""

    sections: list[Section]
    versions: dict[str, str]


def add(path: Path, measured: Iterable[tuple[str, Section]], versions: dict[str, str]) -> Results:
    """What is kept, with what is measured now in the place of older figures; saved after each section."""
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"versions": {}, "sections": {}}
    kept["versions"].update(versions)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    for workload, section in measured:
        kept["sections"][section.title] = {"workload": workload, "day": today, **asdict(section)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1))
    order = list(WORKLOADS)
    found = sorted(kept["sections"].values(), key=lambda data: order.index(data["workload"]))
    return Results([_section(data) for data in found], kept["versions"])


def _section(data: dict[str, Any]) -> Section:
    about = f"{data['about']} Measured on {data['day']}."
    return Section(data["title"], about, [_row(row) for row in data["rows"]], data["count"])


def _row(data: dict[str, Any]) -> Row:
    finding = Finding(**data["finding"]) if data["finding"] else None
    samples = [Sample(**sample) for sample in data["samples"]]
    return Row(data["operation"], data["contestant"], data["is_floor"], samples, finding, data["note"])
