"""What benign classes reach in each family of triggers: the measure against which a score is unlikely, or is not.

The scores of a model's strongest benign class, one for each of many models that no verdict is reported on, are taken
for draws from one distribution, normal on the logit scale. A new model's score is judged by Student's prediction from
them, which is the wider the fewer models there are. Seeds are not independent models and do not count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aegis.core.errors import ConfigError
from aegis.core.types import Family

CALIBRATION = Path(__file__).with_name("calibration.json")
# Shares of a few dozen images cannot tell rates below or above these apart.
LOW, HIGH = 0.01, 0.99
# Scores that nearly agree would otherwise claim a precision that shares of few images do not have.
LEAST_SPREAD = 0.5
# No smaller p-value is reported: a few dozen models say little about the tail of the distribution.
MIN_P_VALUE = 0.001


@dataclass(frozen=True, kw_only=True)
class NullDistribution:
    """Scores of benign classes in one family of triggers.

    Args:
        family: of triggers.
        maxima: the score of the strongest benign class of each calibration model, in [0, 1], at least two.

    Raises:
        ConfigError: for values out of range.
    """

    family: Family
    maxima: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.maxima) < 2:
            raise ConfigError(
                "scores of at least 2 calibration models", str(len(self.maxima)), "One alone has no spread."
            )
        for score in self.maxima:
            if not 0 <= score <= 1:
                raise ConfigError("scores of calibration models in [0, 1]", str(score), "Give shares of images.")

    def p_value(self, score: float) -> float:
        """Computes how likely the strongest class of one more benign model reaches a score.

        Args:
            score: in [0, 1].

        Returns:
            The probability by Student's prediction, in [0, 1].
        """
        return student_p([logit(one) for one in self.maxima], logit(score))

    def threshold(self, alpha: float) -> float:
        """Computes the score whose p-value is alpha.

        Args:
            alpha: in (0, 1).

        Returns:
            The score, in [0, 1].
        """
        return from_logit(student_threshold([logit(one) for one in self.maxima], alpha))


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
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, max(LEAST_SPREAD, math.sqrt(variance)) * math.sqrt(1 + 1 / len(values))


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


def p_value(family: Family, score: float, nulls: Sequence[NullDistribution]) -> float:
    """Bound the share of benign models in which any class, in any family, has a score as rare as this one.

    Args:
        family: of the trigger.
        score: of the trigger, in [0, 1].
        nulls: one for each family that is tested.

    Returns:
        Bonferroni's bound over the families, in [``MIN_P_VALUE``, 1]; 1 for a family without a null distribution.
    """
    found = next((len(nulls) * null.p_value(score) for null in nulls if null.family == family), 1.0)
    return min(1.0, max(MIN_P_VALUE, found))


@cache
def calibrated() -> tuple[NullDistribution, ...]:
    """Read the null distributions that come with AEGIS; the file names the calibration models.

    Returns:
        One for each family of triggers.
    """
    measured: dict[Family, list[float]] = json.loads(CALIBRATION.read_text())["maxima"]
    return tuple(NullDistribution(family=family, maxima=tuple(maxima)) for family, maxima in measured.items())
