"""Of many classes, half the seeds come from the few that are nearest to the class under test."""

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.runtime import Runtime
from aegis.core.types import LabelledImages
from aegis.detect import sources
from aegis.detect.sources import choose_seeds, likely_sources
from aegis.models.classifier import Classifier

CLASSES, LABEL = 40, 12


@pytest.fixture(scope="module")
def images():
    """One bright pixel tells the class; the brighter it is, the surer is the model."""
    labels = np.repeat(np.arange(CLASSES), 6)
    pixels = np.zeros((len(labels), 1, 1, CLASSES), np.float32)
    pixels[np.arange(len(labels)), 0, 0, labels] = 0.1 + 0.02 * labels
    return LabelledImages(pixels, labels, tuple(map(str, range(CLASSES))))


@pytest.fixture(scope="module")
def model():
    layer = nn.Linear(CLASSES, CLASSES)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(CLASSES))
        layer.bias.zero_()
    return Classifier(nn.Sequential(nn.Flatten(), layer), (1, 1, CLASSES)).eval().frozen(Runtime())


def test_the_nearest_classes_are_sources(model, images):
    assert likely_sources(model, images, LABEL, np.random.default_rng(0)) == tuple(range(9))
    assert likely_sources(model, images, 3, np.random.default_rng(0)) == (0, 1, 2, 4, 5, 6, 7, 8, 9)


def test_half_the_seeds_are_even_and_half_are_of_the_sources(model, images):
    drawn = choose_seeds(model, images, LABEL, 80, np.random.default_rng(0))
    assert drawn.sources == tuple(range(9))
    assert len(set(drawn.index.tolist())) == len(drawn.index)
    even, own = np.split(images.labels[drawn.index], [drawn.evenly])
    counts = np.bincount(even, minlength=CLASSES)
    assert (counts[LABEL], len(even)) == (0, 40)
    assert set(np.delete(counts, LABEL)) <= {1, 2}
    assert set(own) == set(drawn.sources)
    assert 30 <= len(own) <= 40
    again = choose_seeds(model, images, LABEL, 80, np.random.default_rng(0))
    assert (again.index == drawn.index).all()


def test_few_classes_are_all_sources(model, images, monkeypatch):
    monkeypatch.setattr(sources, "MANY_CLASSES", CLASSES)
    drawn = choose_seeds(model, images, LABEL, 80, np.random.default_rng(0))
    assert (drawn.sources, drawn.evenly) == (None, 80)
