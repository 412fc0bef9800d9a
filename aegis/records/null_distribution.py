"""How far benign models exceed what is expected of them: the measure against which a score is unlikely, or is not.

The largest excess of each of many models that no verdict is reported on is taken for a draw from one normal
distribution on the logit scale. A new model's excess is judged by Student's prediction from them, which is the wider
the fewer models there are. Seeds are not independent models and do not count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from aegis.core.errors import ConfigError
from aegis.core.types import Family

CALIBRATION = Path(__file__).with_name("calibration.json")
# Shares of a few dozen images cannot tell rates below or above these apart.
LOW, HIGH = 0.01, 0.99
# Scores that nearly agree would otherwise claim a precision that shares of few images do not have.
LEAST_SPREAD = 0.5
# No smaller p-value is reported: a few dozen models say little about the tail of the distribution.
MIN_P_VALUE = 0.001
Compared = Literal["alone", "few", "many"]
# More than any level, and more than any number of classes.
UNBOUNDED, ANY_NUMBER = 100.0, 10**9


@dataclass(frozen=True, kw_only=True)
class NullDistribution:
    """How far benign models exceed what is expected of them, in one family of triggers.

    Args:
        family: of triggers.
        maxima: largest excess, in logits, over the classes or pairs of each calibration model; at least two.
        tests: classes or pairs of a calibration model, at least 1.
        usual: mean level of the calibration models, in logits, for classes that are not tested.
        most: highest level that is allowed for, in logits.
        unlike: mean level, in logits, that a share of 1% of benign models exceeds.

    Raises:
        ConfigError: for fewer than two calibration models, or values out of range.
    """

    family: Family
    maxima: tuple[float, ...]
    tests: int
    usual: float = 0.0
    most: float = UNBOUNDED
    unlike: float = UNBOUNDED

    def __post_init__(self) -> None:
        if len(self.maxima) < 2 or self.tests < 1:
            raise ConfigError(
                "excesses of at least 2 calibration models", str(len(self.maxima)), "One alone has no spread."
            )
        if not all(map(math.isfinite, (*self.maxima, self.usual, self.most, self.unlike))):
            raise ConfigError("finite excesses of calibration models", str(self.maxima), "Calibrate anew.")

    def threshold(self, alpha: float) -> float:
        """Computes the excess, in logits, that a share alpha of benign models reaches."""
        return student_threshold(self.maxima, alpha)


def of_scores(family: Family, scores: Sequence[float]) -> NullDistribution:
    """Creates the null distribution of a model of which nothing is expected but that no trigger works.

    Args:
        family: of triggers.
        scores: of the strongest benign class of each calibration model, in [0, 1].

    Returns:
        The null distribution, which allows for no level.
    """
    return NullDistribution(
        family=family, maxima=tuple(logit(score) - logit(0.0) for score in scores), tests=ANY_NUMBER, most=0.0
    )


def student_p(values: Sequence[float], new: float) -> float:
    """Computes how likely one more draw from a normal distribution is at least as large.

    Args:
        values: draws, at least two.
        new: the value to reach.

    Returns:
        The probability by Student's prediction, in [0, 1].
    """
    from scipy.special import stdtr

    mean, spread = _prediction(values)
    return float(stdtr(len(values) - 1, -(new - mean) / spread))


def student_threshold(values: Sequence[float], alpha: float) -> float:
    """Computes the value whose probability by ``student_p`` is alpha.

    Args:
        values: draws, at least two.
        alpha: in (0, 1).

    Returns:
        The value.
    """
    from scipy.special import stdtrit

    mean, spread = _prediction(values)
    return mean - float(stdtrit(len(values) - 1, alpha)) * spread


def _prediction(values: Sequence[float]) -> tuple[float, float]:
    """Mean of draws, and the spread of one more around it."""
    mean, spread = mean_and_spread(values)
    return mean, max(LEAST_SPREAD, spread) * math.sqrt(1 + 1 / len(values))


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Computes the mean of draws, and their standard deviation.

    Args:
        values: draws, at least one.

    Returns:
        Both; a spread of 0 for one draw.
    """
    mean = sum(values) / len(values)
    squares = sum((value - mean) ** 2 for value in values)
    return mean, math.sqrt(squares / max(1, len(values) - 1))


def logit(score: float) -> float:
    """Compute the logarithm of the odds, kept finite by clipping to [``LOW``, ``HIGH``].

    Args:
        score: in [0, 1].

    Returns:
        The logit.
    """
    inside = min(max(score, LOW), HIGH)
    return math.log(inside / (1 - inside))


def from_logit(value: float) -> float:
    """Computes the score of a logit.

    Args:
        value: the logit.

    Returns:
        The score, in [0, 1].
    """
    return 1 / (1 + math.exp(-value))


@cache
def calibrated(compared: Compared = "alone") -> tuple[NullDistribution, ...]:
    """Reads the null distributions that come with AEGIS; the file names the calibration models.

    Args:
        compared: whether a class is compared with the model's other classes *alone*, or also with *few* or *many*
            benign models of the same data.

    Returns:
        One for each family of triggers.
    """
    measured = json.loads(CALIBRATION.read_text())[compared]
    return TypeAdapter(tuple[NullDistribution, ...]).validate_python(measured)
