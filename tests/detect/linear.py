"""A linear model of two classes with a known margin: what any attack can do to it is plain."""

import numpy as np
import torch
from torch import nn

from aegis.core.runtime import Runtime
from aegis.core.types import Dataset, LabelledImages
from aegis.models.classifier import Classifier

DIRECTION = np.where(np.indices((4, 4)).sum(axis=0) % 2, 0.25, -0.25).astype(np.float32)[None]


def linear_model(sign: float = 1.0) -> Classifier:
    """Class 1 is where the image lies along the direction, of unit length, from grey."""
    layer = nn.Linear(16, 2)
    weights = torch.from_numpy(DIRECTION.reshape(1, 16)) * 10 * sign
    with torch.no_grad():
        layer.weight.copy_(torch.cat([-weights, weights]))
        layer.bias.copy_(-layer.weight.sum(dim=1) / 2)
    return Classifier(nn.Sequential(nn.Flatten(), layer), (1, 4, 4)).eval().frozen(Runtime())


def images_at(margin: float, count: int = 20) -> LabelledImages:
    """Images of both classes at an L2 distance from the border between them."""
    labels = np.arange(count) % 2
    pixels = 0.5 + margin * np.where(labels, 1, -1)[:, None, None, None] * DIRECTION
    return LabelledImages(pixels.astype(np.float32), labels, ("minus", "plus"))


def dataset_at(margin: float) -> Dataset:
    return Dataset("grey", images_at(margin), images_at(margin))
