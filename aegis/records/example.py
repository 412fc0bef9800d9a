"""The finished example that Home shows: a benign image, a mark on it, and what a bundled model then sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "example"
# Files of the pictures, and of the words and numbers.
BENIGN, MARK, MARKED, ABOUT = "benign.png", "mark.png", "marked.png", "example.json"


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
