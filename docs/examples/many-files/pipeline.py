"""Weather stations: many small files, cleaned one by one, then put together."""

import random
from typing import Annotated

import pivot
from pivot import Dep, DirectoryOut, Metric
from pivot.loaders import CSV, JSON

STATIONS = 1000
DAYS = 20


def measure() -> Annotated[dict, DirectoryOut("raw/", CSV())]:
    """A file for each station, as a network of stations might send them."""
    source = random.Random(1)
    return {f"{station // 100:02}/{station:04}.csv": readings(source) for station in range(STATIONS)}


def readings(source):
    return [{"day": day, "degrees": f"{source.gauss(12, 6):.1f}"} for day in range(DAYS)]


def clean(
    raw: Annotated[dict, Dep("raw/", CSV())],
) -> Annotated[dict, DirectoryOut("clean/", CSV())]:
    return {name: [row for row in rows if plausible(float(row["degrees"]))] for name, rows in raw.items()}


def plausible(degrees):
    return -20 < degrees < 40


def summarise(
    stations: Annotated[dict, Dep("clean/", CSV())],
) -> Annotated[dict, Metric("summary.json", JSON())]:
    values = [float(row["degrees"]) for rows in stations.values() for row in rows]
    return {"stations": len(stations), "readings": len(values), "mean": round(sum(values) / len(values), 2)}


pipeline = pivot.Pipeline("stations")
pipeline.register(measure)
pipeline.register(clean)
pipeline.register(summarise)
