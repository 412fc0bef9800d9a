"""The costly steps of a scan, which a store or several machines can stand in for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aegis.core.types import Applicability, Embedding, Evidence


@dataclass(frozen=True)
class Steps:
    """What a scan spends its time on.

    Args:
        assess: as ``detect.assess.assess``.
        gather: as ``detect.gather.gather``.
        embed: as ``detect.embed.embed``.
    """

    assess: Callable[..., Applicability]
    gather: Callable[..., Evidence]
    embed: Callable[..., tuple[Embedding, ...]]
