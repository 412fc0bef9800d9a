"""What the notes say of a fleet as a whole: how many suspects are how far, and how long it still takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aegis.services.fleet.journal import CANCELLED, DONE, FAILED, RUNNING, STATES, WAITING, Journal, Run, State

OVER = (DONE, FAILED, CANCELLED)


@dataclass(frozen=True, eq=False)
class Overview:
    """A fleet in numbers.

    Args:
        run: the fleet.
        states: number of suspects by state, in the order of ``STATES``.
        verdicts: number of suspects by verdict.
        left: seconds until all are done, or None.
    """

    run: Run
    states: dict[str, int]
    verdicts: dict[str, int]
    left: float | None

    @property
    def state(self) -> str:
        """The state of the whole: *running*, *cancelled*, *interrupted* or *done*."""
        if self.run.alive:
            return "running"
        if self.run.ended is None:
            return "interrupted"
        return CANCELLED if self.run.cancelled else DONE


def overview_of(run: Run, suspects: Sequence[State], now: float) -> Overview:
    """Counts the suspects of a fleet.

    Args:
        run: the fleet.
        suspects: all of them.
        now: in seconds of Unix.
    """
    counted = Counter(one.state for one in suspects)
    return Overview(
        run,
        {state: counted[state] for state in STATES if counted[state]},
        dict(Counter(one.verdict for one in suspects if one.verdict).most_common()),
        _left(suspects, now - run.begun) if run.alive else None,
    )


def overviews(journal: Journal, now: float) -> list[Overview]:
    """Counts the suspects of every fleet, the latest first; ``now`` as above."""
    return [overview_of(run, journal.suspects(run.id), now) for run in journal.runs()]


def _left(suspects: Sequence[State], spent: float) -> float | None:
    """Estimates by the bytes of what is done, of which large suspects have more."""
    whole = sum(max(1, one.bytes) for one in suspects)
    done = sum(max(1, one.bytes) * _share(one) for one in suspects)
    return spent * (whole - done) / done if done and spent > 0 else None


def _share(one: State) -> float:
    if one.state in OVER:
        return 1.0
    # The measurement takes about as long as two classes.
    return (one.done + 2) / (one.total + 2) if one.state == RUNNING and one.total else 0.0


def is_over(one: State) -> bool:
    """Tells whether nothing more happens to a suspect."""
    return one.state in OVER


def is_waiting(one: State) -> bool:
    """Tells whether a suspect has not begun."""
    return one.state == WAITING
