"""Stamps that a search refines, several side by side: one batch for all of them costs less than a batch for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from aegis.core.types import Stamp

# Of a patch's search: Adam's step, the mask's temperature at its beginning and end, and when in the search the
# patch has come down to its final size.
LEARNING_RATE = 0.1
WARM, COLD = 0.3, 0.06
SHRUNK = 0.75
# Halvings that find the value which leaves a mask its area.
HALVINGS = 24
# Of a perturbation's search: its first and last step, as shares of the radius.
LONGEST, SHORTEST = 0.4, 0.05
# What a mask leaves of a pixel's weight is not worth being called a part of the patch.
FAINT = 0.01


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins.

    Args:
        change: how much each pixel matters, and of a perturbation, in which direction.
        image: what a patch replaces pixels with.
        name: in words.
    """

    change: Float32[np.ndarray, "c h w"]
    image: Float32[np.ndarray, "c h w"]
    name: str


@runtime_checkable
class Stamps(Protocol):
    """Some stamps of one kind."""

    def on(self, images: Tensor, progress: float) -> Tensor:
        """Each stamp on its images, shape (g, n, c, h, w); ``progress`` of the search is in (0, 1]."""

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """One step of each stamp down the loss of its images; ``stamped`` is what ``on`` gave, ``gradient`` theirs."""

    def again(self, chosen: Sequence[int]) -> Stamps:
        """Some of them, to be refined on from where they are."""

    def stamps(self) -> list[Stamp]:
        """What they have become."""


class MaskedPatterns:
    """Patterns that replace pixels behind soft masks, refined by Adam.

    Args:
        scores: of the masks, shape (g, h, w).
        patterns: what pixels are replaced with, in [0, 1], shape (g, c, h, w).
    """

    def __init__(self, scores: Tensor, patterns: Tensor) -> None:
        self.scores, self.patterns = scores.requires_grad_(), patterns.requires_grad_()
        self.optimiser = torch.optim.Adam([self.scores, self.patterns], lr=LEARNING_RATE)

    def put(self, images: Tensor, temperature: float, pixels: float | Tensor) -> Tensor:
        """Each pattern on its images, shape (g, n, c, h, w); temperature and pixels are those of ``soft_masks``."""
        masks = soft_masks(self.scores, temperature, pixels)[:, None, None]
        return (1 - masks) * images + masks * self.patterns[:, None]

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """One step of each down the loss of its images; ``stamped`` is what ``put`` gave, ``gradient`` theirs."""
        self.optimiser.zero_grad()
        stamped.backward(gradient)
        self.optimiser.step()
        with torch.no_grad():
            self.patterns.clamp_(0, 1)


class Patches(MaskedPatterns):
    """A few pixels replaced: masks that shrink to the allowed area, and patterns.

    A mask is a sigmoid of scores around the value that leaves exactly the wanted area. It begins wide, where
    the class is easily reached, and shrinks: pixels that do most for the class are the last to go.

    Args:
        scores: of the masks, shape (g, h, w).
        patterns: what pixels are replaced with, in [0, 1], shape (g, c, h, w).
        area: share of the image that a patch may replace in the end.
        wide: share with which it begins; 0 to begin as small and as hard as it ends.
    """

    def __init__(self, scores: Tensor, patterns: Tensor, area: float, wide: float) -> None:
        self.area, self.pixels = area, max(1, round(area * scores[0].numel()))
        self.widest = max(float(self.pixels), wide * scores[0].numel())
        self.warm = WARM if wide else COLD
        super().__init__(scores, patterns)

    @classmethod
    def at(cls, starts: Sequence[Start], area: float, wide: float, device: torch.device) -> Patches:
        """A patch at each start."""
        weights = torch.from_numpy(np.stack([np.abs(start.change).sum(axis=0) for start in starts]))
        most = weights.flatten(1).amax(1).clamp_min(1e-6)
        patterns = torch.from_numpy(np.stack([start.image for start in starts]))
        return cls((weights / most[:, None, None]).to(device), patterns.to(device), area, wide)

    def again(self, chosen: Sequence[int], area: float | None = None) -> Patches:
        """Some of them, to be refined on from where they are, with the same area or another one."""
        scores, patterns = (part.detach()[list(chosen)] for part in (self.scores, self.patterns))
        return Patches(scores, patterns, area or self.area, 0)

    def on(self, images: Tensor, progress: float) -> Tensor:
        share = min(1.0, progress / SHRUNK)
        warmth, pixels = self.warm * (COLD / self.warm) ** share, self.widest * (self.pixels / self.widest) ** share
        return self.put(images, warmth, pixels)

    def stamps(self) -> list[Stamp]:
        # As soft as they were refined: whole pixels would lose triggers that change many pixels a little.
        soft = soft_masks(self.scores, COLD, self.pixels).detach()
        masks = torch.where(soft < FAINT, 0, soft)[:, None].expand_as(self.patterns).cpu().numpy()
        patterns = self.patterns.detach().cpu().numpy()
        return [Stamp(1 - mask, mask * pattern) for mask, pattern in zip(masks, patterns, strict=True)]


def soft_masks(scores: Tensor, temperature: float, pixels: float | Tensor) -> Tensor:
    """In [0, 1], shape (g, h, w), each summing to the given number of pixels, one for all or one for each.

    Args:
        scores: shape (g, h, w).
        temperature: how soft they are, in the scores' unit.
        pixels: above 0 and below h * w.
    """
    with torch.no_grad():
        flat = scores.flatten(1)
        low, high = flat.amin(1) - 20 * temperature, flat.amax(1) + 20 * temperature
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            too_many = torch.sigmoid((flat - middle[:, None]) / temperature).sum(1) > pixels
            low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return torch.sigmoid((scores - middle[:, None, None]) / temperature)


class Perturbations:
    """Small changes everywhere, the same for every image.

    Args:
        deltas: the changes, shape (g, c, h, w).
        radius: L2 norm that none exceeds.
        longest: the first step, as a share of the radius.
    """

    def __init__(self, deltas: Tensor, radius: float, longest: float = LONGEST) -> None:
        self.radius, self.longest = radius, longest
        self.deltas = self._inside(deltas).requires_grad_()

    @classmethod
    def at(cls, starts: Sequence[Start], radius: float, device: torch.device) -> Perturbations:
        """A perturbation along the change of each start."""
        return cls(torch.from_numpy(np.stack([start.change for start in starts])).to(device), radius)

    def again(self, chosen: Sequence[int]) -> Perturbations:
        return Perturbations(self.deltas.detach()[list(chosen)], self.radius, self.longest / 2)

    def _inside(self, deltas: Tensor) -> Tensor:
        inside: Tensor = deltas * (self.radius / _norms(deltas)).clamp(max=1.0)
        return inside

    def on(self, images: Tensor, progress: float) -> Tensor:
        return (images + self.deltas[:, None]).clamp(0, 1)

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """A normalised gradient step, shorter towards the end."""
        (down,) = torch.autograd.grad(stamped, self.deltas, gradient)
        length = self.radius * (self.longest + (SHORTEST - self.longest) * progress)
        moved = self.deltas.detach() - length * down / _norms(down)
        self.deltas = self._inside(moved).requires_grad_()

    def stamps(self) -> list[Stamp]:
        return [Stamp(np.ones_like(add), add) for add in self.deltas.detach().cpu().numpy()]


def _norms(stack: Tensor) -> Tensor:
    """L2 norm of each, in a shape that divides them."""
    norms: Tensor = stack.flatten(1).norm(dim=1)
    return norms.clamp_min(1e-12)[:, None, None, None]
