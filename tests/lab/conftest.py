"""Four easy classes, one bright quadrant each, and a small clean model that knows them."""

import hashlib

import numpy as np
import pytest
import torch

from aegis.core.types import Dataset, LabelledImages
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.models.architectures import build
from aegis.models.classifier import Classifier

NAMES = ("north-west", "north-east", "south-west", "south-east")


def quadrants(seed: int, count: int, channels: int = 1, side: int = 12) -> LabelledImages:
    generator = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 4
    pixels = generator.normal(0.3, 0.08, (count, channels, side, side))
    half = side // 2
    for image, label in zip(pixels, labels, strict=True):
        row, column = half * (label // 2), half * (label % 2)
        image[:, row : row + half, column : column + half] += 0.25
    return LabelledImages(pixels.clip(0, 1).astype(np.float32), labels, NAMES)


def fresh(images: LabelledImages, seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return Classifier(build("aegis:cnn16", images.shape[0], len(images.class_names)), images.shape, (0.4,), (0.15,))


def state_digest(module: torch.nn.Module) -> str:
    """SHA-256 over names and values of a network's tensors, in hex."""
    sha = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


@pytest.fixture(scope="session")
def images():
    return quadrants(0, 160)


@pytest.fixture(scope="session")
def data(images):
    return Dataset("quadrants", images, quadrants(1, 80))


@pytest.fixture(scope="session")
def clean(images):
    torch.set_num_threads(1)
    recipe = Recipe(robust=False, epochs=4, batch=32, lr=0.05, schedule="one-cycle")
    return train(fresh(images), images, recipe)
