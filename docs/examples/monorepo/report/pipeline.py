"""Team report: one page from what the others have made. Its paths are relative to the root of the repository."""

from typing import Annotated

from pivot import Dep, Out, Pipeline

pipeline = Pipeline("report", root="..")


@pipeline.register
def page(
    customers: Annotated[list, Dep("ingest/customers.json")], scores: Annotated[dict, Dep("models/scores.json")]
) -> Annotated[str, Out("report/page.txt")]:
    return f"{len(customers)} customers, prices are off by {scores['error']:.2f}\n"
