"""Loaders of arrays and pictures; each imports its library when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivot.pipeline.loaders.protocol import import_library, malformed

# What matplotlib would write of the moment and the machine, by format; None leaves it out.
_NO_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, slots=True)
class Numpy:
    """An array in a `.npy` file, or a dict of arrays in a `.npz` file. Arrays of Python objects are refused.

    Args:
        compress: whether a `.npz` file is compressed.
    """

    compress: bool = False

    def load(self, path: Path) -> Any:
        import zipfile

        numpy = import_library("numpy", "numpy", "Numpy")
        try:
            found = numpy.load(path, allow_pickle=False)
            if not hasattr(found, "files"):
                return found
            with found:
                return {name: found[name] for name in found.files}
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise malformed(path, "an array file", error) from error

    def save(self, value: Any, path: Path) -> None:
        numpy = import_library("numpy", "numpy", "Numpy")
        with path.open("wb") as file:
            if not isinstance(value, dict):
                numpy.save(file, numpy.asarray(value), allow_pickle=False)
            elif self.compress:
                numpy.savez_compressed(file, **value)
            else:
                numpy.savez(file, **value)

    def empty(self) -> Any:
        return import_library("numpy", "numpy", "Numpy").empty(0)


@dataclass(frozen=True, slots=True)
class Image:
    """A Pillow image; the format follows the extension.

    Args:
        quality: of formats that lose detail, from 0 to 100.
    """

    quality: int = 90

    def load(self, path: Path) -> Any:
        pillow = import_library("PIL.Image", "image", "Image")
        try:
            with pillow.open(path) as image:
                image.load()
                return image
        except pillow.UnidentifiedImageError as error:
            raise malformed(path, "an image", error) from error

    def save(self, value: Any, path: Path) -> None:
        value.save(path, quality=self.quality)


@dataclass(frozen=True, slots=True)
class Matplotlib:
    """A matplotlib figure, for writing only; the format follows the extension, and no date is written.

    Args:
        dpi: dots per inch.
    """

    dpi: int = 150

    def save(self, value: Any, path: Path) -> None:
        matplotlib = import_library("matplotlib", "matplotlib", "Matplotlib")
        kind = path.suffix.removeprefix(".").lower()
        # Without a salt the ids inside an SVG are random.
        with matplotlib.rc_context({"svg.hashsalt": "pivot"}):
            value.savefig(path, dpi=self.dpi, metadata=_NO_METADATA.get(kind))
