"""The budget and step size of an attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.core.errors import ConfigError

Norm = Literal["l2", "linf"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A number of attack iterations at one budget.

    Args:
        epsilon: radius of the ball around the original image, in units of pixels in [0, 1]; above 0.
        step: length of one step in the same unit, above 0.
        iterations: number of steps, at least 1.

    Raises:
        ConfigError: for a value out of range.
    """

    epsilon: float
    step: float
    iterations: int

    def __post_init__(self) -> None:
        for name in ("epsilon", "step", "iterations"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} above 0", str(getattr(self, name)), f"Give a positive {name}.")
