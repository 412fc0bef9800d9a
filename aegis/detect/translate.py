"""Algorithm 1, step 1: turn random images into the class under test (equation 5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from aegis.attacks.pgd import pgd
from aegis.core.errors import DataError
from aegis.core.runtime import Event, Report, Throttle
from aegis.core.types import LabelledImages, Stage
from aegis.detect.features import as_pictures
from aegis.models.classifier import Classifier

FRAMES = 8


def draw_seeds(
    images: LabelledImages, label: int, count: int, generator: np.random.Generator
) -> Int64[np.ndarray, " n"]:
    """Positions of seeds, drawn evenly from every class but the one under test, in random order.

    Raises:
        DataError: if there are no images of other classes.
    """
    pools = [
        generator.permutation(np.flatnonzero(images.labels == other))
        for other in range(len(images.class_names))
        if other != label
    ]
    pools = [pool for pool in pools if len(pool)]
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
    """Images moved into the class by targeted L2 PGD, at every budget.

    Args:
        classifier: prepared for speed.
        seeds: where they start.
        label: the class under test.
        stages: growing budgets; each starts where the one before it ended.
        report: told of stage ``translate`` with a few of the images; may raise ``Cancelled``.
    """
    device = classifier.mean.device
    total = sum(stage.iterations for stage in stages) * -(-len(seeds) // classifier.batch)
    throttle = Throttle(report)
    done = 0

    def on_step(_: int, loss: float, images: Tensor) -> None:
        nonlocal done
        done += 1
        if throttle.due(done, total):
            frames = images[:FRAMES].cpu().numpy()
            report(Event(stage="translate", label=label, step=done, total=total, loss=loss, frames=frames))

    parts = []
    for x in torch.split(torch.from_numpy(seeds), classifier.batch):
        labels = torch.full((len(x),), label, device=device)
        snapshots = pgd(classifier, x.to(device), labels, stages, targeted=True, on_step=on_step)
        parts.append(as_pictures(torch.stack(snapshots)))
    return np.concatenate(parts, axis=1)
