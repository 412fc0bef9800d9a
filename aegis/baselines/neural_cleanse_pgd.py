"""The AEGIS paper's variant of Neural Cleanse: how far images must be changed by PGD to become each class.

Soremekun, Udeshi and Chattopadhyay: AEGIS: Exposing Backdoors in Robust Machine Learning Models, RQ3, Figures 12 and
17. It reverse-engineers no single trigger: every image is changed by itself, and the mean L1 norm of the changes stands
for the size of the trigger.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from aegis.attacks.pgd import pgd
from aegis.baselines.config import PgdNormsConfig
from aegis.baselines.outliers import anomaly_indices, small_outliers, threshold
from aegis.baselines.result import DetectorResult, check
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Dataset, Stage
from aegis.models.classifier import Classifier
from aegis.records.presets import preset

FRAMES = 8


def detect(
    classifier: Classifier,
    data: Dataset,
    config: PgdNormsConfig,
    *,
    generator: torch.Generator,
    report: Report = silent,
) -> DetectorResult:
    """Leads the same random training images into each class, and flags classes that unusually small changes lead to.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        data: images; those of the training split are changed.
        config: settings.
        generator: draws the images.
        report: receives events of stage ``nc-pgd`` with a few changed images; may raise ``Cancelled``.

    Returns:
        Scores are mean L1 norms of the changes; patterns are mean changed images, masks mean absolute changes.

    Raises:
        AegisError: if model and images do not fit together, or there are fewer than three classes.
    """
    check(classifier, data, "the paper's variant of Neural Cleanse", data.train)
    chosen = torch.randperm(len(data.train), generator=generator)[: config.images]
    images = torch.from_numpy(data.train.pixels[chosen.numpy()])
    stage = config.stage or preset("paper", data.name, data.shape).gather.stages[0]
    moved = _lead(classifier, images, stage, report)
    changes = (moved - images).abs()
    scores = changes.sum((2, 3, 4)).mean(1).numpy()
    indices = anomaly_indices(scores)
    return DetectorResult(
        scores=scores,
        values=indices,
        measure="anomaly index",
        cut=config.index,
        threshold=threshold(scores, config.index),
        flagged=small_outliers(indices, config.index),
        patterns=moved.mean(1).numpy(),
        masks=changes.mean((1, 2)).numpy(),
        successes=_successes(classifier, moved),
    )


def _lead(classifier: Classifier, images: Tensor, stage: Stage, report: Report) -> Tensor:
    """Leads all images into every class; shape (k, n, c, h, w)."""
    device, throttle = classifier.mean.device, Throttle(report)
    wanted = torch.arange(classifier.classes).repeat_interleave(len(images))
    starts = images.repeat(classifier.classes, 1, 1, 1)
    parts = list(zip(torch.split(starts, classifier.batch), torch.split(wanted, classifier.batch), strict=True))
    total, moved = len(parts) * stage.iterations, []
    for i, (x, y) in enumerate(parts):

        def on_step(step: int, losses: Tensor, now: Tensor, before: int = i * stage.iterations) -> None:
            if throttle.due(before + step, total):
                frames, loss = now[:FRAMES].cpu().numpy(), float(losses.mean())
                report(Event(stage="nc-pgd", step=before + step, total=total, loss=loss, frames=frames))

        moved += pgd(classifier, x.to(device), y.to(device), [stage], targeted=True, on_step=on_step)
    return torch.cat(moved).cpu().view(classifier.classes, *images.shape)


def _successes(classifier: Classifier, moved: Tensor) -> np.ndarray:
    said = classifier.logits(moved.flatten(0, 1)).argmax(1).view(moved.shape[:2])
    shares: np.ndarray = (said == torch.arange(classifier.classes)[:, None]).float().mean(1).numpy()
    return shares
