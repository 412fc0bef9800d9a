"""How far a scan is, told from its events: what the command line and the dashboard both show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aegis.core.runtime import Event

# What of a class is done before a stage begins, and the stage's share of the work.
SHARES = {"translate": (0.0, 0.2), "search": (0.2, 0.7), "embed": (0.9, 0.1)}
# Where no trigger is sought, by the rule of the paper or for a look at one more budget.
UNTRIED = {"translate": (0.0, 0.6), "embed": (0.6, 0.4)}
# Measuring how robust the model is keeps every core busy for about as long as one class and a half do.
ASSESS = 1.5


@dataclass
class ScanProgress:
    """Adds up the events of a scan; the parts of a class count by their usual cost.

    Args:
        classes: how many are examined.
        shares: what of a class is done before each stage, and the stage's own share.
        assessed: how far the measuring of robustness is, in [0, 1].
        done: how far each class that was begun is, in [0, 1], by label.
    """

    classes: int
    shares: Mapping[str, tuple[float, float]] = field(default_factory=lambda: SHARES)
    assessed: float = 0.0
    done: dict[int, float] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Take one event in; what was reached is never taken back."""
        share = event.step / max(event.total, 1)
        if event.label is None:
            self.assessed = share
            return
        self.assessed = 1.0
        before, part = self.shares.get(event.stage, (0.0, 0.0))
        self.done[event.label] = max(before + part * share, self.done.get(event.label, 0.0))

    @classmethod
    def of(cls, classes: int, tries: bool) -> ScanProgress:
        """Of so many classes, with or without a search for triggers."""
        return cls(classes, SHARES if tries else UNTRIED)

    @property
    def finished(self) -> int:
        """How many classes are done."""
        return sum(done >= 1 for done in self.done.values())

    @property
    def whole(self) -> float:
        """How far all of it is, in [0, 1]."""
        return (ASSESS * self.assessed + sum(self.done.values())) / (ASSESS + self.classes)
