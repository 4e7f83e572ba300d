"""The models that are compared, and the picture of how they did."""

from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier


def build(name, params):
    if name == "logistic":
        return LogisticRegression(C=params.strength, max_iter=1000)
    if name == "forest":
        return RandomForestClassifier(n_estimators=params.trees, random_state=params.seed)
    return KNeighborsClassifier(n_neighbors=params.neighbours)


def bars(heights):
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot()
    axes.bar(list(heights), list(heights.values()))
    axes.set_ylim(0.9, 1.0)
    axes.set_ylabel("accuracy")
    return figure
