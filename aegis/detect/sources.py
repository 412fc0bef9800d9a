"""Draws the seeds of a class, and chooses the source classes that source-specific triggers are searched for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64

from aegis.core.types import LabelledImages
from aegis.detect.bounds import MANY_CLASSES, SOURCES
from aegis.detect.translate import draw_seeds
from aegis.models.classifier import Classifier

# Images of each class that are asked how near the class under test they are.
LOOKED_AT = 3


@dataclass(frozen=True, eq=False)
class Seeds:
    """Holds the seeds of one class under test.

    Args:
        index: their positions in the training split, shape (n,).
        evenly: how many of them, the first, were drawn evenly from all other classes.
        sources: classes whose source-specific triggers are searched for; None for all that have seeds.
    """

    index: Int64[np.ndarray, " n"]
    evenly: int
    sources: tuple[int, ...] | None = None


def choose_seeds(
    classifier: Classifier, images: LabelledImages, label: int, count: int, generator: np.random.Generator
) -> Seeds:
    """Draws the seeds of a class; of many classes, half of them from the few that source-specific triggers are
    searched for.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: labelled images of the training split.
        label: the class under test.
        count: the most seeds, at least 2.
        generator: draws the images.

    Returns:
        The seeds.

    Raises:
        DataError: if there are no images of other classes.
    """
    if len(images.class_names) <= MANY_CLASSES:
        index = draw_seeds(images, label, count, generator)
        return Seeds(index, len(index))
    sources = likely_sources(classifier, images, label, generator)
    even = draw_seeds(images, label, count // 2, generator)
    own = np.setdiff1d(draw_seeds(images, label, count - len(even), generator, sources), even)
    return Seeds(np.concatenate([even, generator.permutation(own)]), len(even), sources)


def likely_sources(
    classifier: Classifier, images: LabelledImages, label: int, generator: np.random.Generator
) -> tuple[int, ...]:
    """Chooses the classes of whose images the model nearly says that they are the class under test.

    Their logits of the class under test are the least below those of their own. Whether that finds the source of a
    planted trigger was measured (docs/results.md).

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: labelled images of the training split.
        label: the class under test.
        generator: draws the images.

    Returns:
        At most ``SOURCES`` labels, growing.
    """
    others = [k for k in range(len(images.class_names)) if k != label and (images.labels == k).any()]
    chosen = [generator.permutation(np.flatnonzero(images.labels == k))[:LOOKED_AT] for k in others]
    looked_at = images.take(np.concatenate(chosen))
    logits = classifier.logits(torch.from_numpy(looked_at.pixels)).numpy()
    margins = logits[np.arange(len(logits)), looked_at.labels] - logits[:, label]
    means = [part.mean() for part in np.split(margins, np.cumsum([len(one) for one in chosen])[:-1])]
    nearest = np.argsort(means, kind="stable")[:SOURCES]
    return tuple(sorted(others[i] for i in nearest))
