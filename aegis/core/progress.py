"""Computes the progress of a scan from its events, for the command line and the dashboard alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aegis.core.runtime import Event

# For each stage: the share of a class's work done before it, and the share of the stage itself.
SHARES = {"translate": (0.0, 0.2), "search": (0.2, 0.7), "embed": (0.9, 0.1)}
# The same without trigger inversion: for the paper's rule, and for one more budget on the Inspect page.
UNTRIED = {"translate": (0.0, 0.6), "embed": (0.6, 0.4)}
# Measuring robust accuracy takes all cores about as long as the work for one and a half classes.
ASSESS = 1.5


@dataclass
class ScanProgress:
    """Adds up the events of a scan, in which each stage counts by its usual share of the time.

    Args:
        classes: number of classes examined, at least 0.
        shares: for each stage, the share of a class's work done before it and its own share, both in [0, 1].
        assessed: progress of measuring the model's robustness, in [0, 1].
        done: progress of each class that was begun, in [0, 1], by label.
    """

    classes: int
    shares: Mapping[str, tuple[float, float]] = field(default_factory=lambda: SHARES)
    assessed: float = 0.0
    done: dict[int, float] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes in one event; progress never decreases.

        Args:
            event: an event of a scan.
        """
        share = event.step / max(event.total, 1)
        if event.label is None:
            self.assessed = share
            return
        self.assessed = 1.0
        before, part = self.shares.get(event.stage, (0.0, 0.0))
        self.done[event.label] = max(before + part * share, self.done.get(event.label, 0.0))

    @classmethod
    def of(cls, classes: int, tries: bool) -> ScanProgress:
        """Creates the progress of a scan that has not begun.

        Args:
            classes: number of classes examined.
            tries: whether the scan searches for triggers.

        Returns:
            Progress of 0 with the shares of such a scan.
        """
        return cls(classes, SHARES if tries else UNTRIED)

    @property
    def finished(self) -> int:
        """Number of classes that are done."""
        return sum(done >= 1 for done in self.done.values())

    @property
    def whole(self) -> float:
        """Progress of the whole scan, in [0, 1]."""
        return (ASSESS * self.assessed + sum(self.done.values())) / (ASSESS + self.classes)
