"""How reference models are trained and searched, and a digest of that, under which their parts are kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import numpy as np

from aegis.core.types import Dataset
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.presets import preset

if TYPE_CHECKING:
    from aegis.lab.suspect import TrainingSpec

# Architecture, budget as a multiple of the usual one, norm, and learning rate of each reference model in turn. They
# differ, since what belongs to the data shows in all of them.
KINDS: tuple[tuple[str, float, Literal["l2", "linf"], float], ...] = (
    ("aegis:cnn16,width=8", 1.0, "l2", 0.2),
    ("aegis:strided,width=8,grid={grid},hidden=64", 2.0, "l2", 0.02),
    ("aegis:preact,width=8,blocks=1", 1.0, "linf", 0.2),
    ("aegis:plain,width=8,grid={grid},hidden=64", 0.5, "l2", 0.02),
)
# What the learning rate is divided by: at first, and in a second training of a model that has learned nothing.
SLOWER = (1, 3)
# Images that a model sees in its whole training, and the most of them that differ.
SEEN, MOST_IMAGES = 60_000, 20_000
FEWEST_EPOCHS, MOST_EPOCHS = 3, 16


def training_spec(number: int, images: Dataset, slower: int = 1) -> TrainingSpec:
    """Specifies the training of one reference model.

    Args:
        number: of the model, from 0.
        images: the data set.
        slower: divides the learning rate, one of ``SLOWER``.

    Returns:
        The architecture and all settings.
    """
    from aegis.lab.recipes import Recipe
    from aegis.lab.suspect import TrainingSpec

    architecture, times, norm, lr = KINDS[number % len(KINDS)]
    # Pixels of colour images are known to allow half the budget of grey ones.
    radius = times * (0.5 if images.shape[0] == 1 else 0.25)
    epsilon = radius if norm == "l2" else 2 * radius / float(np.sqrt(np.prod(images.shape)))
    recipe = Recipe(
        epochs=_epochs(len(images.train)),
        batch=64,
        lr=lr / slower,
        schedule="one-cycle",
        norm=norm,
        epsilon=epsilon,
        step=0.6 * epsilon,
        iterations=2,
    )
    return TrainingSpec(
        architecture=architecture.format(grid=min(8, max(1, images.shape[1] // 4))),
        recipe=recipe,
        preset="reference",
        images=min(len(images.train), MOST_IMAGES),
        seed=1000 + number,
    )


def seen(images: int) -> int:
    """Counts the images that a model sees in its whole training.

    Args:
        images: number of training images.
    """
    return _epochs(images) * min(images, MOST_IMAGES)


def _epochs(images: int) -> int:
    return min(max(round(SEEN / min(images, MOST_IMAGES)), FEWEST_EPOCHS), MOST_EPOCHS)


def search_config(shape: tuple[int, int, int]) -> ScanConfig:
    """Gives the settings with which reference models are measured and searched, those of a scan."""
    return preset("default", None, shape)


def settings_digest(images: Dataset) -> str:
    """Hashes all settings that parts of reference models depend on beside the source.

    Args:
        images: the data set.

    Returns:
        64 hexadecimal digits.
    """
    config = search_config(images.shape)
    specs = [training_spec(number, images, slower) for number in range(len(KINDS)) for slower in SLOWER]
    trained = [(spec.architecture, sorted(spec.settings.items())) for spec in specs]
    settings = (trained, config.assess, config.gather, VerdictConfig().source_quantile)
    return hashlib.sha256(repr(settings).encode()).hexdigest()
