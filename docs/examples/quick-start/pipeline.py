from typing import Annotated

import pivot


def complete(rows):
    return [row for row in rows if all(row.values())]


def preprocess(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[list, pivot.Out("clean.json", pivot.loaders.JSON())]:
    return complete(raw["records"])


def summarize(
    records: Annotated[list, pivot.Dep("clean.json", pivot.loaders.JSON())],
) -> Annotated[dict, pivot.Out("summary.json", pivot.loaders.JSON())]:
    values = [row["value"] for row in records]
    return {"count": len(values), "mean": sum(values) / len(values)}


pipeline = pivot.Pipeline("example")
pipeline.register(preprocess)
pipeline.register(summarize)
