"""MM-BD: how far the logit of each class can rise above all others; a class where it rises unusually far is flagged.

Wang, Xiang, Miller and Kesidis: MM-BD: Post-Training Detection of Backdoor Attacks with Arbitrary Backdoor Pattern
Types Using a Maximum Margin Statistic, IEEE Symposium on Security and Privacy 2024. Images of the data set play no
part.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from aegis.baselines.config import MaximumMarginConfig
from aegis.baselines.gradients import gradient_of
from aegis.baselines.result import DetectorResult, check
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Dataset
from aegis.models.classifier import Classifier

FRAMES = 8


def detect(
    classifier: Classifier,
    data: Dataset,
    config: MaximumMarginConfig,
    *,
    generator: torch.Generator,
    report: Report = silent,
) -> DetectorResult:
    """Maximises the margin of each class from random images, and flags the class of a margin too large for the rest.

    Args:
        classifier: the model, prepared by ``Classifier.frozen`` in float32: smaller numbers would end the search early.
        data: only its shape and its number of classes count.
        config: settings.
        generator: draws the starts.
        report: receives events of stage ``mmbd`` with a few images; may raise ``Cancelled``.

    Returns:
        Scores are maximum margins; a pattern is the image of the largest one.

    Raises:
        AegisError: if model and images do not fit together, or there are fewer than three classes.
    """
    check(classifier, data, "MM-BD")
    images, margins = _maximise(classifier, config, generator, report)
    best = margins.argmax(1)
    scores = margins.max(1).values.numpy()
    largest, (p_values, threshold) = int(scores.argmax()), order_statistic(scores, config.alpha)
    return DetectorResult(
        scores=scores,
        values=p_values,
        measure="p-value",
        cut=config.alpha,
        threshold=threshold,
        flagged=(largest,) if p_values[largest] <= config.alpha else (),
        patterns=images[torch.arange(len(best)), best].numpy(),
        masks=None,
        successes=np.full(len(scores), np.nan, np.float32),
    )


def order_statistic(scores: Float32[np.ndarray, " k"], alpha: float) -> tuple[Float32[np.ndarray, " k"], float]:
    """Computes how likely the largest of k benign classes has such a margin.

    The null distribution is a gamma distribution with a free location, fitted by maximum likelihood to all margins but
    the largest, as in the authors' code.

    Args:
        scores: maximum margin of each class, shape (k,).
        alpha: level of the test, in (0, 1).

    Returns:
        The p-value of each class, shape (k,), of which the authors use that of the largest margin; and the margin whose
        p-value is alpha. All are NaN where no distribution can be fitted.
    """
    from scipy.stats import gamma

    rest = np.delete(scores.astype(np.float64), scores.argmax())
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            null = gamma(*gamma.fit(rest))
            values = 1 - null.cdf(scores) ** len(scores)
            threshold = float(null.ppf((1 - alpha) ** (1 / len(scores))))
    except (ValueError, RuntimeError):  # scipy's FitError is the latter
        values, threshold = np.full(len(scores), np.nan), float("nan")
    return np.asarray(values, np.float32), threshold


def _maximise(
    classifier: Classifier, config: MaximumMarginConfig, generator: torch.Generator, report: Report
) -> tuple[Tensor, Tensor]:
    """Climbs from the same number of random images for every class until its margins stand still.

    The authors make a new optimiser in every step, so that its momentum never acts: these are plain gradient steps.

    Returns:
        Images in [0, 1], shape (k, n, c, h, w), and their margins, shape (k, n).
    """
    k, n, throttle = classifier.classes, config.starts, Throttle(report)
    images = torch.rand(k, n, *classifier.shape, generator=generator).to(classifier.mean.device)
    margins = torch.zeros(k, n, device=images.device)
    before, active = torch.full((k,), torch.inf), torch.arange(k)
    for step in range(config.steps):
        clipped = images[active].clamp(0, 1)
        wanted = active.repeat_interleave(n).to(images.device)
        logits, gradient = gradient_of(classifier, clipped.flatten(0, 1), wanted, _summed)
        margins[active] = _margins(logits, wanted).view(-1, n)
        # Outside [0, 1] the image that the model sees stands still, and so does its gradient.
        inside = images[active] == clipped
        images[active] += config.learning_rate * gradient.view_as(clipped) * inside
        sums = margins[active].sum(1).cpu()
        moving = (sums - before[active]).abs() >= config.tolerance * before[active].abs()
        before[active] = sums
        if throttle.due(step + 1, config.steps):
            report(Event(stage="mmbd", step=step + 1, total=config.steps, frames=clipped[:FRAMES, 0].cpu().numpy()))
        active = active[moving]
        if not len(active):
            break
    report(Event(stage="mmbd", step=config.steps, total=config.steps))
    return images.clamp(0, 1).cpu(), margins.cpu()


def _margins(logits: Tensor, labels: Tensor) -> Tensor:
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return own - others.amax(1)


def _summed(logits: Tensor, labels: Tensor) -> Tensor:
    return _margins(logits, labels).sum()
