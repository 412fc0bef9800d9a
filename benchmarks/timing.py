"""Timings beside their targets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Width of names; a line is printed before the other names are known.
WIDTH = 46


@dataclass(frozen=True)
class Timing:
    """One thing that was timed several times.

    Args:
        name: of the timing.
        seconds: of every run.
        target: what the median should not exceed, or None.
    """

    name: str
    seconds: Sequence[float]
    target: float | None = None

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)

    @property
    def kept(self) -> bool:
        """Whether the median is within the target."""
        return self.target is None or self.median <= self.target


def line(timing: Timing) -> str:
    """Write a timing with its target, and whether it is kept.

    Args:
        timing: of several runs.

    Returns:
        Median, range and number of runs in one line.
    """
    return f"  {timing.name:<{WIDTH}}  {_numbers(timing)}"


def _numbers(timing: Timing) -> str:
    if not timing.seconds:
        return "not measured"
    span = f"{timing.median:6.2f} s ({min(timing.seconds):.2f} to {max(timing.seconds):.2f}, n = {len(timing.seconds)})"
    if timing.target is None:
        return span
    return f"{span:<34}  at most {timing.target:g} s: {'kept' if timing.kept else 'MISSED'}"
