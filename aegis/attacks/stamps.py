"""Says what stamps are that are optimised side by side, in one batch, and optimises perturbations.

Patches, the other kind, are in ``patches``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from aegis.attacks.descent import carried_back
from aegis.core.types import Stamp

S = TypeVar("S", bound="Stamps")
# Length of a perturbation's first and of its last step, as shares of the radius.
LONGEST, SHORTEST = 0.4, 0.05


@dataclass(frozen=True, eq=False)
class Start:
    """Starting point of an optimisation.

    Args:
        change: importance of each pixel by its absolute value; for a perturbation, also the direction; shape (c, h, w).
        image: pattern that a patch starts with, in [0, 1], shape (c, h, w).
        name: where the start comes from, in words.
    """

    change: Float32[np.ndarray, "c h w"]
    image: Float32[np.ndarray, "c h w"]
    name: str


@runtime_checkable
class Stamps(Protocol):
    """Several stamps of one kind that are optimised side by side."""

    def on(self, images: Tensor, progress: float) -> Tensor:
        """Applies each stamp to its images.

        Args:
            images: images in [0, 1], shape (g, n, c, h, w).
            progress: progress of the optimisation, in (0, 1].

        Returns:
            The changed images, shape (g, n, c, h, w).
        """

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """Takes one optimisation step to lower the loss of each stamp's images.

        Args:
            stamped: the images that ``on`` returned, shape (g, n, c, h, w).
            gradient: gradient of the loss with respect to them, of the same shape.
            progress: progress of the optimisation, in (0, 1].
        """

    def again(self, chosen: Sequence[int]) -> Stamps:
        """Selects some of the stamps, to continue their optimisation.

        Args:
            chosen: positions of the stamps.

        Returns:
            The selected stamps in their present state.
        """

    def some(self: S, chosen: Sequence[int]) -> S:
        """Selects some of the stamps, which go on where they are.

        Args:
            chosen: positions of the stamps.

        Returns:
            The selected stamps in their present state.
        """

    def joined(self: S, parts: Sequence[S]) -> S:
        """Puts together parts of these stamps, each made by ``some``.

        Args:
            parts: in their order.

        Returns:
            All stamps of the parts in their present state.
        """

    def stamps(self) -> list[Stamp]:
        """Gives the stamps in their present state."""


class Perturbations:
    """Additive perturbations, each the same for every image, kept inside an L2 ball.

    Args:
        deltas: the perturbations, shape (g, c, h, w).
        radius: radius of the L2 ball, above 0.
        longest, shortest: lengths of the first and of the last step, as shares of the radius.
    """

    def __init__(self, deltas: Tensor, radius: float, longest: float = LONGEST, shortest: float = SHORTEST) -> None:
        self.radius, self.longest, self.shortest = radius, longest, shortest
        self.deltas = self._inside(deltas).requires_grad_()

    @classmethod
    def at(cls, starts: Sequence[Start], radius: float, device: torch.device) -> Perturbations:
        """Creates a perturbation along the change of each start.

        Args:
            starts: starting points, g of them.
            radius: radius of the L2 ball, above 0.
            device: device of the tensors.

        Returns:
            The perturbations.
        """
        return cls(torch.from_numpy(np.stack([start.change for start in starts])).to(device), radius)

    def again(self, chosen: Sequence[int]) -> Perturbations:
        """Selects some of the perturbations, to continue with steps of half the length.

        Args:
            chosen: positions of the perturbations.

        Returns:
            The selected perturbations in their present state.
        """
        return Perturbations(self.deltas.detach()[list(chosen)], self.radius, self.longest / 2, self.shortest)

    def some(self, chosen: Sequence[int]) -> Perturbations:
        """Selects some of the perturbations, which go on where they are."""
        return Perturbations(self.deltas.detach()[list(chosen)], self.radius, self.longest, self.shortest)

    def joined(self, parts: Sequence[Perturbations]) -> Perturbations:
        """Puts together parts of these perturbations, each made by ``some``."""
        deltas = torch.cat([part.deltas.detach() for part in parts])
        return Perturbations(deltas, self.radius, self.longest, self.shortest)

    def _inside(self, deltas: Tensor) -> Tensor:
        inside: Tensor = deltas * (self.radius / _norms(deltas)).clamp(max=1.0)
        return inside

    def on(self, images: Tensor, progress: float) -> Tensor:
        """Adds each perturbation to its images.

        Args:
            images: images in [0, 1], shape (g, n, c, h, w).
            progress: not used.

        Returns:
            The changed images in [0, 1], shape (g, n, c, h, w).
        """
        return (images + self.deltas[:, None]).clamp(0, 1)

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """Takes one normalised gradient step, shorter towards the end, and projects onto the ball.

        Args:
            stamped: the images that ``on`` returned, shape (g, n, c, h, w).
            gradient: gradient of the loss with respect to them, of the same shape.
            progress: progress of the optimisation, in (0, 1].
        """
        (down,) = carried_back(stamped, gradient, [self.deltas])
        length = self.radius * (self.longest + (self.shortest - self.longest) * progress)
        moved = self.deltas.detach() - length * down / _norms(down)
        self.deltas = self._inside(moved).requires_grad_()

    def stamps(self) -> list[Stamp]:
        """Gives the perturbations in their present state."""
        return [Stamp(np.ones_like(add), add) for add in self.deltas.detach().cpu().numpy()]


def _norms(stack: Tensor) -> Tensor:
    """L2 norm of each tensor of a stack, in a shape that broadcasts."""
    norms: Tensor = stack.flatten(1).norm(dim=1)
    return norms.clamp_min(1e-12)[:, None, None, None]
