"""Team ingest: raw orders become clean ones."""

from typing import Annotated

from shared.rows import complete

from pivot import Dep, Out, Pipeline

pipeline = Pipeline("ingest")


@pipeline.register
def clean(orders: Annotated[list, Dep("orders.json")]) -> Annotated[list, Out("clean.json")]:
    return complete(orders)


@pipeline.register
def customers(orders: Annotated[list, Dep("orders.json")]) -> Annotated[list, Out("customers.json")]:
    return sorted({order["customer"] for order in orders})
