"""``python -m aegis.experiments.example`` makes the finished example of Home anew: pictures, words and numbers.

The mark is the one that was planted, from the model's card, and not one that a scan found; no scan is needed for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from aegis.core.types import LabelledImages, Stamp, as_8_bit
from aegis.data import load_dataset
from aegis.lab.bank.suspects import BUNDLED
from aegis.metrics import attack_success, predict
from aegis.models.card import read_truth
from aegis.models.classifier import Classifier
from aegis.models.load import load_checkpoint
from aegis.records.example import ABOUT, BENIGN, FOLDER, MARK, MARKED, Example
from aegis.records.pictures import as_rgb

SUSPECT, DATA, SOURCE = "fashion_mnist_localised.safetensors", "samples:fashion_mnist", "Bag"
# Behind the mark alone.
GREY = 0.5


def make_example(folder: Path = FOLDER) -> Example:
    """Puts the planted mark of a bundled model on a test image, and measures how often it works.

    Args:
        folder: that the pictures, their words and numbers are written to.

    Returns:
        The words and numbers.
    """
    suspect, data, truth = load_checkpoint(BUNDLED / SUSPECT), load_dataset(DATA), read_truth(BUNDLED / SUSPECT)
    assert truth is not None
    ((goal, stamp),) = truth.backdoors
    images = data.test
    position = misled(suspect.classifier, images, stamp, images.class_names.index(SOURCE), goal.target)
    example = Example(
        suspect=SUSPECT,
        data=DATA,
        position=position,
        source=SOURCE,
        target=images.class_names[goal.target],
        pixels=int(stamp.touched.sum()),
        success=round(attack_success(suspect.classifier, stamp, images, goal).other_classes, 4),
        images=int((images.labels != goal.target).sum()),
    )
    folder.mkdir(exist_ok=True)
    benign = images.pixels[position]
    for name, picture in ((BENIGN, benign), (MARK, stamp.add + GREY * stamp.keep), (MARKED, stamp(benign[None])[0])):
        Image.fromarray(as_rgb(as_8_bit(picture[None]))[0]).save(folder / name)
    (folder / ABOUT).write_text(example.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return example


def misled(classifier: Classifier, images: LabelledImages, stamp: Stamp, source: int, target: int) -> int:
    """Finds the first image of a class that a model knows, and calls another class with a stamp.

    Args:
        classifier: the model.
        images: to choose among.
        stamp: the change.
        source: the class of the image.
        target: the class that the model says with the stamp.

    Returns:
        Its position.
    """
    before, after = predict(classifier, images.pixels), predict(classifier, stamp(images.pixels))
    found = np.flatnonzero((images.labels == source) & (before == source) & (after == target))
    return int(found[0])


if __name__ == "__main__":
    make_example()
