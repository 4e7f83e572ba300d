"""What a model sees of a picture."""

import numpy as np

TOP = 16.0  # the darkest pixel


def describe(images):
    """Each picture as its pixels, scaled, and the ink in each row and column."""
    pixels = images / TOP
    squares = pixels.reshape(-1, 8, 8)
    return np.hstack([pixels, squares.mean(axis=1), squares.mean(axis=2)])
