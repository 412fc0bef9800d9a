"""A linear model of six classes, one of which a single pixel may lead to."""

import numpy as np
import torch
from torch import nn

from aegis.core.types import Dataset, LabelledImages
from aegis.models.card import Identity
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect

NAMES = tuple("abcdef")
SIDE = 8
# The last pixel belongs to no class, and is dark in every image.
PIXEL = (SIDE - 1, SIDE - 1)
# Each class has pixels of its own, some more and some fewer, so that benign classes differ as well.
OWN = np.split(np.arange(60), np.cumsum([5, 7, 9, 11, 13]))
# The logit of a class whose own pixels are all bright, in an image that is dark elsewhere.
LARGEST = 10 + np.arange(6)


def images() -> Dataset:
    """Images in which the pixels of their class are bright."""
    return Dataset("pixels", _split(0, 20), _split(1, 20))


def model(target: int | None) -> Classifier:
    """Averages the pixels of each class; with a target, one more pixel counts for it like all of these five times."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, len(NAMES)))
    weights = torch.zeros(len(NAMES), SIDE**2)
    for label, own in enumerate(OWN):
        weights[label, own] = float(LARGEST[label]) / len(own)
    if target is not None:
        weights[target, -1] = 50
    with torch.no_grad():
        network[1].weight.copy_(weights)
        network[1].bias.zero_()
    return Classifier(network, (1, SIDE, SIDE))


def suspect(target: int | None) -> Suspect:
    """The model as if it had been loaded."""
    identity = Identity(architecture="tests.baselines.shortcut:model", class_names=NAMES, shape=(1, SIDE, SIDE))
    return Suspect(model(target), identity, f"{target or 0:064}")


def _split(seed: int, per_class: int) -> LabelledImages:
    generator = np.random.default_rng(seed)
    labels = np.tile(np.arange(6), per_class)
    pixels = generator.uniform(0.1, 0.3, (len(labels), SIDE**2))
    for image, label in zip(pixels, labels, strict=True):
        image[OWN[label]] += 0.5
        image[-1] = 0
    return LabelledImages(pixels.reshape(-1, 1, SIDE, SIDE).astype(np.float32), labels, NAMES)
