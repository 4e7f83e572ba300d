"""Team models: a price for each weight, learnt from the clean orders of team ingest."""

from typing import Annotated

from shared.rows import mean

from pivot import Dep, Out, Pipeline

pipeline = Pipeline("models")


@pipeline.register
def train(orders: Annotated[list, Dep("../ingest/clean.json")]) -> Annotated[dict, Out("model.json")]:
    weight, price = mean([order["weight"] for order in orders]), mean([order["price"] for order in orders])
    above = sum((order["weight"] - weight) * (order["price"] - price) for order in orders)
    slope = above / sum((order["weight"] - weight) ** 2 for order in orders)
    return {"slope": slope, "start": price - slope * weight}


@pipeline.register
def evaluate(
    orders: Annotated[list, Dep("../ingest/clean.json")], model: Annotated[dict, Dep("model.json")]
) -> Annotated[dict, Out("scores.json")]:
    errors = [abs(model["start"] + model["slope"] * order["weight"] - order["price"]) for order in orders]
    return {"error": mean(errors)}
