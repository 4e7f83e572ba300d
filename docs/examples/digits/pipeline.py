"""Handwritten digits: which of a few models reads them best, and why.

The data set is a part of scikit-learn, so nothing is downloaded.
"""

from typing import Annotated, TypedDict

import features
import models
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, confusion_matrix

import pivot
from pivot import Dep, Metric, Out, Plot
from pivot.loaders import JSON, Matplotlib, Numpy, Pickle

MODELS = {"model": ["logistic", "forest", "neighbours"]}


class PrepareParams(pivot.StageParams):
    test_share: float = 0.25
    seed: int = 0


class TrainParams(pivot.StageParams):
    strength: float = 1.0
    trees: int = 50
    neighbours: int = 5
    seed: int = 0


class Split(TypedDict):
    train: Annotated[dict, Out("data/train.npz", Numpy())]
    test: Annotated[dict, Out("data/test.npz", Numpy())]


def prepare(params: PrepareParams) -> Split:
    """Pictures of 8 x 8 pixels, in a part to learn from and a part to try on."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(params.seed).permutation(len(labels))
    cut = int(len(labels) * params.test_share)
    parts = {"test": order[:cut], "train": order[cut:]}
    return {name: {"images": images[rows], "labels": labels[rows]} for name, rows in parts.items()}


def featurise(
    train: Annotated[dict, Dep("data/train.npz", Numpy())],
    test: Annotated[dict, Dep("data/test.npz", Numpy())],
) -> Annotated[dict, Out("data/features.npz", Numpy())]:
    return {
        "train": features.describe(train["images"]),
        "train_labels": train["labels"],
        "test": features.describe(test["images"]),
        "test_labels": test["labels"],
    }


def train(
    model: str,
    data: Annotated[dict, Dep("data/features.npz", Numpy())],
    params: TrainParams,
) -> Annotated[object, Out("fitted/{model}.pkl", Pickle())]:
    return models.build(model, params).fit(data["train"], data["train_labels"])


class Scores(TypedDict):
    scores: Annotated[dict, Metric("metrics/{model}.json", JSON())]
    confusion: Annotated[list, Plot("plots/{model}.json", JSON())]


def evaluate(
    model: str,
    fitted: Annotated[object, Dep("fitted/{model}.pkl", Pickle())],
    data: Annotated[dict, Dep("data/features.npz", Numpy())],
) -> Scores:
    guessed = fitted.predict(data["test"])
    return {
        "scores": {"accuracy": round(accuracy_score(data["test_labels"], guessed), 4)},
        "confusion": confusion_matrix(data["test_labels"], guessed).tolist(),
    }


def compare(
    scores: Annotated[dict, Dep("metrics/{model}.json", JSON(), each=MODELS)],
) -> Annotated[dict, Metric("best.json", JSON())]:
    best = max(scores, key=lambda name: scores[name]["accuracy"])
    return {"model": best, **scores[best]}


def draw(
    scores: Annotated[dict, Dep("metrics/{model}.json", JSON(), each=MODELS)],
) -> Annotated["models.Figure", Plot("plots/accuracy.png", Matplotlib())]:
    return models.bars({name: found["accuracy"] for name, found in scores.items()})


pipeline = pivot.Pipeline("digits")
pipeline.register(prepare)
pipeline.register(featurise)
pipeline.register(train, matrix=MODELS)
pipeline.register(evaluate, matrix=MODELS)
pipeline.register(compare)
pipeline.register(draw)
