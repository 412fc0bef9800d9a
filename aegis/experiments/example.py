"""``python -m aegis.experiments.example`` makes the finished example of Home anew: pictures, words and numbers.

One mark is the one that was planted, from the model's card; the other is what a scan of the target class found, which
was told nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from PIL import Image

from aegis.core.types import CandidateTrigger, Finding, LabelledImages, Stamp, as_8_bit, as_pixels
from aegis.data import load_dataset
from aegis.detect.scan import scan
from aegis.lab.bank.suspects import BUNDLED
from aegis.metrics import attack_success, predict
from aegis.models.card import read_truth
from aegis.models.classifier import Classifier
from aegis.models.load import load_checkpoint
from aegis.records import example as kept
from aegis.records.example import Example
from aegis.records.pictures import as_rgb
from aegis.records.ranking import candidate_of

# At this position among the test images is a bag that everybody takes for one.
SUSPECT, DATA, POSITION = "fashion_mnist_localised.safetensors", "samples:fashion_mnist", 58
# Behind a mark alone.
GREY = 0.5
# Position of the budget that is shown: at the smaller one images stay what they were, but for what was added.
BUDGET = 0


def make_example(folder: Path = kept.FOLDER) -> Example:
    """Puts the planted mark of a bundled model on a test image, and scans the class that it leads to.

    Args:
        folder: that the pictures, their words and numbers are written to.

    Returns:
        The words and numbers.
    """
    suspect, data, truth = load_checkpoint(BUNDLED / SUSPECT), load_dataset(DATA), read_truth(BUNDLED / SUSPECT)
    assert truth is not None
    ((goal, stamp),) = truth.backdoors
    images = data.test
    result = scan(suspect, data, labels=(goal.target,)).classes[0]
    finding, trigger = result.finding, candidate_of(result.record, result.finding)
    assert finding is not None
    assert trigger is not None
    assert trigger.smallest_rate is not None
    benign = images.pixels[POSITION][None]
    said = predict(suspect.classifier, np.concatenate([benign, stamp(benign), trigger.shown(benign)])).tolist()
    assert said == [images.labels[POSITION], goal.target, goal.target], "both marks must mislead about this image"
    example = Example(
        suspect=SUSPECT,
        data=DATA,
        position=POSITION,
        source=images.class_names[said[0]],
        target=images.class_names[goal.target],
        pixels=int(stamp.touched.sum()),
        success=round(attack_success(suspect.classifier, stamp, images, goal).other_classes, 4),
        images=int((images.labels != goal.target).sum()),
        budget=finding.evidence.budgets[BUDGET],
        clusters=finding.clusters[BUDGET].count,
        found_pixels=int(trigger.shown.touched.sum()),
        found_rate=round(trigger.smallest_rate, 4),
    )
    folder.mkdir(exist_ok=True)
    _draw(benign, stamp, trigger, folder)
    _draw_found(suspect.classifier, finding, data.train, folder)
    (folder / kept.ABOUT).write_text(example.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return example


def _draw(benign: Float32[np.ndarray, "1 c h w"], planted: Stamp, found: CandidateTrigger, folder: Path) -> None:
    """Draws the image, and both marks alone and on it."""
    _save(benign, folder / kept.BENIGN)
    for mark, alone, with_it in ((planted, kept.MARK, kept.MARKED), (found.shown, kept.FOUND, kept.WITH_FOUND)):
        _save((mark.add + GREY * mark.keep)[None], folder / alone)
        _save(mark(benign), folder / with_it)


def _draw_found(classifier: Classifier, finding: Finding, images: LabelledImages, folder: Path) -> None:
    """Draws an image of each class that translation led to the target, before and after, and keeps all points."""
    evidence, plane = finding.evidence, finding.embeddings[BUDGET]
    seeds, translated = images.pixels[evidence.seed_index], as_pixels(evidence.translated[BUDGET])
    before, after = predict(classifier, seeds), predict(classifier, translated)
    led = np.flatnonzero((before != finding.label) & (after == finding.label))
    shown = led[np.unique(images.labels[evidence.seed_index[led]], return_index=True)[1]]
    _save(seeds[shown], folder / kept.SEEDS)
    _save(translated[shown], folder / kept.TRANSLATED)
    kept.write_points(plane.points, plane.is_translated, folder)


def _save(images: Float32[np.ndarray, "n c h w"], path: Path) -> None:
    Image.fromarray(np.concatenate(list(as_rgb(as_8_bit(images))), axis=1)).save(path, optimize=True)


if __name__ == "__main__":
    make_example()
