"""Algorithm 1, step 1: translates images of other classes into the class under test (equation 5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from aegis.attacks.pgd import pgd
from aegis.core.errors import DataError
from aegis.core.runtime import Event, Report, Throttle
from aegis.core.types import LabelledImages, Stage, as_8_bit
from aegis.detect.bounds import MANY_CLASSES
from aegis.models.classifier import Classifier

FRAMES = 8


def draw_seeds(
    images: LabelledImages, label: int, count: int, generator: np.random.Generator, only: Collection[int] | None = None
) -> Int64[np.ndarray, " n"]:
    """Draws seed images evenly from every class but the one under test.

    Args:
        images: labelled images of the training split.
        label: the class under test.
        count: the most seeds, at least 1.
        generator: draws the images, and of many classes those that have one image more than others.
        only: classes that are drawn from; None for all.

    Returns:
        Positions of the seeds in random order, shape (n,).

    Raises:
        DataError: if there are no images of other classes.
    """
    pools = [
        generator.permutation(np.flatnonzero(images.labels == other))
        for other in range(len(images.class_names))
        if other != label and (only is None or other in only)
    ]
    pools = [pool for pool in pools if len(pool)]
    if len(images.class_names) > MANY_CLASSES:
        # There may be more classes than seeds, and then the first by label would be the only ones.
        pools = [pools[i] for i in generator.permutation(len(pools))]
    if not pools:
        raise DataError("seed images of other classes", "none", "Give training images of every class.")
    rounds = [pool[i] for i in range(max(map(len, pools))) for pool in pools if i < len(pool)]
    return generator.permutation(np.array(rounds[:count], np.int64))


def translate(
    classifier: Classifier,
    seeds: Float32[np.ndarray, "n c h w"],
    label: int,
    stages: Sequence[Stage],
    report: Report,
) -> UInt8[np.ndarray, "b n c h w"]:
    """Translates images into a class by targeted L2 PGD, at every budget.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: images in [0, 1], shape (n, c, h, w).
        label: the class under test.
        stages: growing budgets; each continues where the one before it ended.
        report: receives events of stage ``translate`` with a few of the images; may raise ``Cancelled``.

    Returns:
        Translated images as 8-bit pictures, shape (b, n, c, h, w).

    Source: Section 4, step 1, equation 5.
    """
    device = classifier.mean.device
    total = sum(stage.iterations for stage in stages) * -(-len(seeds) // classifier.batch)
    throttle = Throttle(report)
    done = 0

    def on_step(_: int, losses: Tensor, images: Tensor) -> None:
        nonlocal done
        done += 1
        if throttle.due(done, total):
            frames = images[:FRAMES].cpu().numpy()
            loss = float(losses.mean())
            report(Event(stage="translate", label=label, step=done, total=total, loss=loss, frames=frames))

    parts = []
    for x in torch.split(torch.from_numpy(seeds), classifier.batch):
        labels = torch.full((len(x),), label, device=device)
        snapshots = pgd(classifier, x.to(device), labels, stages, targeted=True, on_step=on_step)
        parts.append(as_8_bit(torch.stack(snapshots).cpu().numpy()))
    return np.concatenate(parts, axis=1)
