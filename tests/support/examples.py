"""The pipelines of the front page, as a new user types them."""

DATA = """
{"records": [{"name": "a", "value": 1}, {"name": "b", "value": 3}, {"name": "c", "value": null}]}
"""

FRONT_PAGE = """
import json
import pathlib
from typing import Annotated, TypedDict
import pivot

class PreprocessOutputs(TypedDict):
    clean: Annotated[pathlib.Path, pivot.Out("clean.json", pivot.loaders.PathOnly())]

def preprocess(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> PreprocessOutputs:
    clean = [row for row in raw["records"] if all(row.values())]
    out_path = pathlib.Path("clean.json")
    out_path.write_text(json.dumps({"records": clean}, indent=2))
    return PreprocessOutputs(clean=out_path)

class SummarizeOutputs(TypedDict):
    summary: Annotated[pathlib.Path, pivot.Out("summary.json", pivot.loaders.PathOnly())]

def summarize(
    data: Annotated[dict, pivot.Dep("clean.json", pivot.loaders.JSON())],
) -> SummarizeOutputs:
    records = data["records"]
    values = [r["value"] for r in records]
    summary = {"count": len(values), "mean": sum(values) / len(values)}
    out_path = pathlib.Path("summary.json")
    out_path.write_text(json.dumps(summary, indent=2))
    return SummarizeOutputs(summary=out_path)

pipeline = pivot.Pipeline("my_pipeline")
pipeline.register(preprocess)
pipeline.register(summarize)
"""

HELPER = """
from typing import Annotated

import pivot

def normalize(values):
    top = max(values)
    return [value / top for value in values]

def process(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[list, pivot.Out("processed.json", pivot.loaders.JSON())]:
    return normalize([row["value"] for row in raw["records"] if row["value"]])

def count(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[int, pivot.Out("count.json", pivot.loaders.JSON())]:
    return len(raw["records"])

pipeline = pivot.Pipeline("helpers")
pipeline.register(process)
pipeline.register(count)
"""
