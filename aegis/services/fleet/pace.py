"""How long classes take, as far as a fleet has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Seconds that a piece takes at least where its suspect has so much work left: far more than it costs to hand out.
LEAST = 5.0
# Seconds of a class for one of the measurement, until the fleet knows better.
RATIO = 0.5


@dataclass
class Pace:
    """Sums over everything that was computed so far.

    Args:
        measurements, measuring: their number and seconds.
        classes, examining: the same of classes.
    """

    measurements: int = 0
    measuring: float = 0.0
    classes: int = 0
    examining: float = 0.0

    def measured(self, seconds: float) -> None:
        """Adds a measurement."""
        self.measurements, self.measuring = self.measurements + 1, self.measuring + seconds

    def examined(self, classes: int, seconds: float) -> None:
        """Adds classes that were examined together."""
        self.classes, self.examining = self.classes + classes, self.examining + seconds

    def of_class(self, measuring: float) -> float:
        """Estimates the seconds of a class.

        Args:
            measuring: seconds of its suspect's measurement, to which they are in proportion; 0 if nobody knows.
        """
        mean = self.examining / self.classes if self.classes else 0.0
        if not (measuring and self.measuring):
            return mean
        ratio = mean * self.measurements / self.measuring if mean else RATIO
        return ratio * measuring

    def batch(self, measuring: float) -> int:
        """Counts the classes that make a piece which is worth its handing out; the argument as in ``of_class``."""
        seconds = self.of_class(measuring)
        return max(1, math.ceil(LEAST / seconds)) if seconds else 1
