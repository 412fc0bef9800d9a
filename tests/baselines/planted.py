"""Training images whose pixels are the activations themselves, in one class of which poison lies apart."""

import numpy as np
from torch import nn

from aegis.core.runtime import Runtime
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier

NAMES = ("a", "b", "c")
TARGET, PER_CLASS = 1, 300
SHAPE = (1, 5, 5)


def classifier() -> Classifier:
    """A linear model: its last hidden layer is the image."""
    return Classifier(nn.Sequential(nn.Flatten(), nn.Linear(25, len(NAMES))), SHAPE).frozen(Runtime())


def training(poisoned: int, seed: int = 0) -> tuple[LabelledImages, np.ndarray]:
    """A cloud for each class and, at the end, poison with the target's label far from its cloud, and its mask."""
    generator = np.random.default_rng(seed)
    labels = np.concatenate([np.tile(np.arange(len(NAMES)), PER_CLASS), np.full(poisoned, TARGET)])
    is_poisoned = np.arange(len(labels)) >= len(NAMES) * PER_CLASS
    pixels = generator.normal(0.4, 0.05, (len(labels), 25)) + 0.02 * labels[:, None]
    pixels[is_poisoned, :5] += 0.4
    return LabelledImages(pixels.clip(0, 1).reshape(-1, *SHAPE).astype(np.float32), labels, NAMES), is_poisoned
