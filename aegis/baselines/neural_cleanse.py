"""Neural Cleanse: the smallest mask and pattern that turn images into each class; a class with a far smaller one is
flagged.

Wang, Yao, Shan, Li, Viswanath, Zheng and Zhao: Neural Cleanse: Identifying and Mitigating Backdoor Attacks in Neural
Networks, IEEE Symposium on Security and Privacy 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional

from aegis.baselines.config import NeuralCleanseConfig
from aegis.baselines.gradients import gradient_of
from aegis.baselines.outliers import anomaly_indices, small_outliers, threshold
from aegis.baselines.result import DetectorResult, check
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Dataset
from aegis.models.classifier import Classifier

# Keeps the inverse of the hyperbolic tangent finite; of Adam and of the masks in the authors' code.
EPSILON = 1e-7
FRAMES = 8


def detect(
    classifier: Classifier,
    data: Dataset,
    config: NeuralCleanseConfig,
    *,
    generator: torch.Generator,
    report: Report = silent,
) -> DetectorResult:
    """Reverse-engineers a mask and a pattern for each class, and flags classes with an unusually small mask.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        data: images; those of the test split are stamped, of every class, as by the authors.
        config: settings.
        generator: draws masks, patterns and the order of images.
        report: receives events of stage ``nc`` with a few stamped images; may raise ``Cancelled``.

    Returns:
        Scores are L1 norms of the masks.

    Raises:
        AegisError: if model and images do not fit together, or there are fewer than three classes.
    """
    check(classifier, data, "Neural Cleanse", data.test)
    found = _reverse_engineer(classifier, data, config, generator, report)
    scores = np.array([one.norm for one in found], np.float32)
    indices = anomaly_indices(scores)
    return DetectorResult(
        scores=scores,
        values=indices,
        measure="anomaly index",
        cut=config.index,
        threshold=threshold(scores, config.index),
        flagged=small_outliers(indices, config.index),
        patterns=np.stack([one.pattern for one in found]),
        masks=np.stack([one.mask for one in found]),
        successes=np.array([one.success for one in found], np.float32),
    )


@dataclass
class CostSchedule:
    """The changing weight of a class's mask norm, and when its search is over.

    Args:
        config: settings.
        cost: present weight; 0 until the attack has worked for ``patience`` rounds.
        over: whether the search is over.
    """

    config: NeuralCleanseConfig
    cost: float = 0.0
    over: bool = False
    _worked: int = 0
    _failed: int = 0
    _idle: int = 0
    _grew: bool = False
    _shrank: bool = False
    _smallest: float = float("inf")
    _before: float = float("inf")

    def update(self, success: float, norm: float) -> bool:
        """Takes in one round.

        Args:
            success: share of its images that were called the class, in [0, 1].
            norm: L1 norm of the mask.

        Returns:
            Whether this mask is the smallest one that worked.
        """
        works = success >= self.config.success
        smaller = works and norm < self._smallest
        self._smallest = norm if smaller else self._smallest
        self._stop()
        self._worked, self._failed = (self._worked + 1, 0) if works else (0, self._failed + 1)
        if self._worked >= self.config.patience:
            self._grow()
        elif self._failed >= self.config.patience:
            self._failed, self._shrank, self.cost = 0, True, self.cost / self.config.down
        return smaller

    def _grow(self) -> None:
        if self.cost:
            self._worked, self._grew, self.cost = 0, True, self.cost * self.config.up
            return
        # The authors set the first weight and count the same round once more, and only later changes end a search.
        self._worked, self._grew, self._shrank, self.cost = 1, False, False, self.config.cost

    def _stop(self) -> None:
        if self._smallest < float("inf"):
            self._idle = self._idle + 1 if self._smallest >= self.config.stop_ratio * self._before else 0
        self._before = min(self._before, self._smallest)
        self.over = self._grew and self._shrank and self._idle >= self.config.stop_patience


@dataclass
class _Found:
    """The smallest mask of a class that worked; the last one where none did."""

    mask: Float32[np.ndarray, "h w"]
    pattern: Float32[np.ndarray, "c h w"]
    norm: float
    success: float


class _Stamps:
    """Masks and patterns of all classes in the unbounded space in which they are optimised by Adam.

    Args:
        classifier: the model.
        config: settings.
        generator: draws the first masks and patterns.
    """

    def __init__(self, classifier: Classifier, config: NeuralCleanseConfig, generator: torch.Generator) -> None:
        channels, height, width = classifier.shape
        # The last layer is the mask, so that one tensor holds all that is optimised.
        drawn = torch.rand(classifier.classes, channels + 1, height, width, generator=generator)
        self.raw = torch.atanh((drawn - 0.5) * (2 - EPSILON)).to(classifier.mean.device)
        self.config, self.moments, self.steps = config, torch.zeros(2, *self.raw.shape).to(self.raw), 0

    def shown(self, chosen: Tensor) -> Tensor:
        """Gives patterns and masks of some classes in [0, 1], shape (g, c + 1, h, w)."""
        return torch.tanh(self.raw[chosen]) / (2 - EPSILON) + 0.5

    def step(self, chosen: Tensor, gradient: Tensor) -> None:
        """Takes a step of Adam for some classes against the gradient with respect to what ``shown`` gives."""
        self.steps += 1
        slope = gradient * (1 - torch.tanh(self.raw[chosen]) ** 2) / (2 - EPSILON)
        for moment, beta, now in zip(self.moments, self.config.betas, (slope, slope**2), strict=True):
            moment[chosen] = beta * moment[chosen] + (1 - beta) * now
        mean, square = (m[chosen] / (1 - beta**self.steps) for m, beta in zip(self.moments, self.config.betas))
        self.raw[chosen] -= self.config.learning_rate * mean / (square.sqrt() + EPSILON)


def _reverse_engineer(
    classifier: Classifier, data: Dataset, config: NeuralCleanseConfig, generator: torch.Generator, report: Report
) -> list[_Found]:
    order = torch.randperm(len(data.test), generator=generator)[: config.images].numpy()
    pixels, stamps = torch.from_numpy(data.test.pixels[order]), _Stamps(classifier, config, generator)
    schedules = [CostSchedule(config) for _ in classifier.labels]
    found: dict[int, _Found] = {}
    throttle = Throttle(report)
    for step in range(config.steps):
        labels = [label for label in classifier.labels if not schedules[label].over]
        if not labels:
            break
        costs = [schedules[label].cost for label in labels]
        turn = torch.arange(step * config.per_step, (step + 1) * config.per_step) % len(pixels)
        shown, hits, frames = _round(classifier, stamps, labels, costs, pixels[turn])
        for label, success, one in zip(labels, hits, shown, strict=True):
            norm = float(one[-1].sum())
            if schedules[label].update(success, norm) or label not in found or found[label].success < config.success:
                found[label] = _Found(one[-1], one[:-1], norm, success)
        if throttle.due(step + 1, config.steps):
            report(Event(stage="nc", step=step + 1, total=config.steps, frames=frames[:FRAMES].numpy()))
    report(Event(stage="nc", step=config.steps, total=config.steps))
    return [found[label] for label in classifier.labels]


def _round(
    classifier: Classifier, stamps: _Stamps, labels: Sequence[int], costs: Sequence[float], images: Tensor
) -> tuple[Float32[np.ndarray, "g d h w"], list[float], Tensor]:
    """Takes the steps of one round for several classes.

    Returns:
        Patterns and masks before the last step, the share of images that were called each class, and one stamped image
        of each class.
    """
    device = classifier.mean.device
    chosen, weights = torch.tensor(labels, device=device), torch.tensor(costs, device=device)
    hits = torch.zeros(len(labels), device=device)
    for part in torch.split(images.to(device), stamps.config.batch):
        shown = stamps.shown(chosen)
        stamped, reached = _step(classifier, stamps, chosen, shown, part, weights)
        hits += reached
    return shown.cpu().numpy(), (hits / len(images)).tolist(), stamped[:, 0].cpu()


def _step(
    classifier: Classifier, stamps: _Stamps, chosen: Tensor, shown: Tensor, images: Tensor, costs: Tensor
) -> tuple[Tensor, Tensor]:
    """Takes one step for several classes; returns the stamped images and how many were called each class."""
    patterns, masks = shown[:, None, :-1], shown[:, None, -1:]
    stamped = (1 - masks) * images + masks * patterns
    wanted = chosen.repeat_interleave(len(images))
    logits, flat = gradient_of(classifier, stamped.flatten(0, 1), wanted, _cross_entropy)
    gradient = flat.view_as(stamped) / len(images)
    of_masks = (gradient * (patterns - images)).sum(dim=(1, 2)) + costs[:, None, None]
    stamps.step(chosen, torch.cat([(gradient * masks).sum(dim=1), of_masks[:, None]], dim=1))
    return stamped, (logits.argmax(1) == wanted).view(len(chosen), len(images)).sum(1)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels, reduction="sum")
