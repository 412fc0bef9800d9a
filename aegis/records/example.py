"""The finished example that Home shows: what a mark makes a bundled model see, and how a scan of it found that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float32
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "example"
# Files of the pictures, and of the words and numbers.
BENIGN, MARK, MARKED, ABOUT = "benign.png", "mark.png", "marked.png", "example.json"
# What the scan found: images before and after translation, a trigger alone and on the benign image, and points.
SEEDS, TRANSLATED, FOUND, WITH_FOUND, POINTS = (
    "seeds.png",
    "translated.png",
    "found.png",
    "with_found.png",
    "points.csv",
)


class Example(BaseModel):
    """What is said of the three pictures.

    Args:
        suspect: file of the model.
        data: source of the images.
        position: of the benign image among the test images.
        source: name of its class, as the model also says of it.
        target: name of the class that the model says with the mark.
        pixels: number of pixels of the mark.
        success: share of the test images of other classes that the model calls the target with the mark, in [0, 1].
        images: number of these images.
        budget: L2 norm that translation could change an image by, of the images and points that are shown.
        clusters: number of clusters among these points.
        found_pixels: number of pixels of the trigger that the scan found.
        found_rate: share of unseen images of other classes that they turn into the target, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suspect: str
    data: str
    position: Annotated[int, Field(ge=0)]
    source: str
    target: str
    pixels: Annotated[int, Field(ge=1)]
    success: Annotated[float, Field(ge=0, le=1)]
    images: Annotated[int, Field(ge=1)]
    budget: Annotated[float, Field(gt=0)]
    clusters: Annotated[int, Field(ge=1)]
    found_pixels: Annotated[int, Field(ge=1)]
    found_rate: Annotated[float, Field(ge=0, le=1)]


def read_example(folder: Path = FOLDER) -> Example | None:
    """Reads what is said of the example.

    Args:
        folder: that it lies in.

    Returns:
        The example; None where it is not there, as in an installed package without assets.
    """
    path = folder / ABOUT
    if not path.is_file():
        return None
    return Example.model_validate_json(path.read_text(encoding="utf-8"))


def read_points(folder: Path = FOLDER) -> tuple[Float32[np.ndarray, "p 2"], Bool[np.ndarray, " p"]]:
    """Reads the points of the target class in the plane.

    Args:
        folder: that they lie in.

    Returns:
        The points, shape (p, 2), and True for those of translated images.
    """
    table = np.loadtxt(folder / POINTS, delimiter=",", skiprows=1, dtype=np.float32)
    return table[:, :2], table[:, 2] == 1


def write_points(points: Float32[np.ndarray, "p 2"], is_translated: Bool[np.ndarray, " p"], folder: Path) -> None:
    """Writes points so that ``read_points`` reads them.

    Args:
        points: in the plane, shape (p, 2).
        is_translated: True for those of translated images.
        folder: that they are written to.
    """
    table = np.column_stack([points, is_translated])
    np.savetxt(folder / POINTS, table, fmt=("%.2f", "%.2f", "%d"), delimiter=",", header="x,y,translated", comments="")
