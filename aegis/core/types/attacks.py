"""How far an attack may go, and in which steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.core.errors import ConfigError

Norm = Literal["l2", "linf"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some iterations at one budget.

    Args:
        epsilon: radius of the ball around the original image, above 0.
        step: length of one step, above 0.
        iterations: how many steps, at least 1.

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
