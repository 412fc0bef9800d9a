"""Optimises patches, several in one batch, which is faster than one batch for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aegis.attacks.descent import Adam, carried_back
from aegis.attacks.stamps import Start
from aegis.core.graphs import Repeated
from aegis.core.types import Stamp

# The mask's temperature at the start and at the end, and the share of the steps after which the patch has shrunk to its
# final size.
WARM, COLD = 0.3, 0.06
SHRUNK = 0.75
# Steps of the bisection that finds the threshold at which a mask has the wanted area.
HALVINGS = 24
# Pixels with a smaller mask value do not count as part of the patch.
FAINT = 0.01
# Weights, along rows and columns, by which scores of neighbouring pixels are averaged for coherent patches.
NEIGHBOURS = (0.25, 0.5, 0.25)


class MaskedPatterns:
    """Patterns that replace pixels through soft masks, optimised by Adam.

    Args:
        scores: scores from which the masks are computed, shape (g, h, w).
        patterns: replacing pixel values in [0, 1], shape (g, c, h, w).
    """

    def __init__(self, scores: Tensor, patterns: Tensor) -> None:
        self.scores, self.patterns = scores.requires_grad_(), patterns.requires_grad_()
        self.adam = Adam([self.scores, self.patterns])
        self._thresholds = Repeated(thresholds)

    def masks(self, temperature: float, pixels: float | Tensor) -> Tensor:
        """Computes the masks from the scores.

        Args:
            temperature: softness of the masks, as in ``thresholds``.
            pixels: area of the masks in pixels, as in ``thresholds``.

        Returns:
            The masks, shape (g, h, w).
        """
        return self._soft(self.scores, temperature, pixels)

    def _soft(self, scores: Tensor, temperature: float, pixels: float | Tensor) -> Tensor:
        return soft_masks(scores, temperature, self._thresholds(scores.detach().flatten(1), temperature, pixels))

    def put(self, images: Tensor, temperature: float, pixels: float | Tensor) -> Tensor:
        """Applies each pattern to its images.

        Args:
            images: images in [0, 1], shape (g, n, c, h, w).
            temperature: softness of the masks, as in ``thresholds``.
            pixels: area of the masks in pixels, as in ``thresholds``.

        Returns:
            The changed images, shape (g, n, c, h, w).
        """
        masks = self.masks(temperature, pixels)[:, None, None]
        return (1 - masks) * images + masks * self.patterns[:, None]

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """Takes one step of Adam to lower the loss of each pattern's images.

        Args:
            stamped: the images that ``put`` returned, shape (g, n, c, h, w).
            gradient: gradient of the loss with respect to them, of the same shape.
            progress: not used.
        """
        self.adam.step(carried_back(stamped, gradient, self.adam.tensors))
        with torch.no_grad():
            self.patterns.clamp_(0, 1)


class Patches(MaskedPatterns):
    """Patches whose masks shrink to the allowed area while they are optimised.

    A mask is a sigmoid of scores around the threshold that gives exactly the wanted area. It starts large, where the
    class
    is easily reached, and shrinks, so that the pixels with the largest effect remain.

    Args:
        scores: scores from which the masks are computed, shape (g, h, w).
        patterns: replacing pixel values in [0, 1], shape (g, c, h, w).
        area: share of the image that a patch may replace at the end, in (0, 1].
        wide: share with which it starts, in [0, 1]; 0 to start with the final area and temperature.
        coherent: for each patch, whether neighbouring pixels share their scores, which favours patches of one piece;
            shape (g,); None for none.
    """

    def __init__(
        self, scores: Tensor, patterns: Tensor, area: float, wide: float, coherent: Tensor | None = None
    ) -> None:
        self.area, self.wide, self.coherent = area, wide, coherent
        self.pixels = max(1, round(area * scores[0].numel()))
        self.widest = max(float(self.pixels), wide * scores[0].numel())
        self.warm = WARM if wide else COLD
        super().__init__(scores, patterns)

    @classmethod
    def at(
        cls,
        starts: Sequence[Start],
        area: float,
        wide: float,
        device: torch.device,
        coherent: Sequence[bool] | None = None,
    ) -> Patches:
        """Creates a patch at each start.

        Args:
            starts: starting points, g of them.
            area: share of the image that a patch may replace at the end, in (0, 1].
            wide: share with which it starts, in [0, 1].
            device: device of the tensors.
            coherent: for each patch, whether neighbouring pixels share their scores; None for none.

        Returns:
            The patches.
        """
        weights = torch.from_numpy(np.stack([np.abs(start.change).sum(axis=0) for start in starts]))
        most = weights.flatten(1).amax(1).clamp_min(1e-6)
        patterns = torch.from_numpy(np.stack([start.image for start in starts]))
        together = None if coherent is None else torch.tensor(coherent, device=device)
        return cls((weights / most[:, None, None]).to(device), patterns.to(device), area, wide, together)

    def some(self, chosen: Sequence[int]) -> Patches:
        """Selects some of the patches, which go on shrinking where they are.

        Args:
            chosen: positions of the patches.

        Returns:
            The selected patches in their present state.
        """
        return self._chosen(chosen, self.area, self.wide)

    def joined(self, parts: Sequence[Patches]) -> Patches:
        """Puts together parts of these patches, each made by ``some``.

        Args:
            parts: in their order.

        Returns:
            All patches of the parts in their present state.
        """
        scores, patterns = (
            torch.cat([getattr(part, name).detach() for part in parts]) for name in ("scores", "patterns")
        )
        return Patches(scores, patterns, self.area, self.wide, self.coherent)

    def again(self, chosen: Sequence[int], area: float | None = None) -> Patches:
        """Selects some of the patches, to continue their optimisation.

        Args:
            chosen: positions of the patches.
            area: another final area as a share of the image, or None for the same.

        Returns:
            The selected patches in their present state.
        """
        return self._chosen(chosen, area or self.area, 0)

    def _chosen(self, chosen: Sequence[int], area: float, wide: float) -> Patches:
        scores, patterns = (part.detach()[list(chosen)] for part in (self.scores, self.patterns))
        return Patches(scores, patterns, area, wide, None if self.coherent is None else self.coherent[list(chosen)])

    def on(self, images: Tensor, progress: float) -> Tensor:
        """Applies each patch, with the area and temperature of this moment, to its images.

        Args:
            images: images in [0, 1], shape (g, n, c, h, w).
            progress: progress of the optimisation, in (0, 1].

        Returns:
            The changed images, shape (g, n, c, h, w).
        """
        share = min(1.0, progress / SHRUNK)
        warmth, pixels = self.warm * (COLD / self.warm) ** share, self.widest * (self.pixels / self.widest) ** share
        return self.put(images, warmth, pixels)

    def masks(self, temperature: float, pixels: float | Tensor) -> Tensor:
        """Computes the masks from the scores, averaged over neighbours for coherent patches.

        Args:
            temperature: softness, as in ``thresholds``.
            pixels: area in pixels, as in ``thresholds``.

        Returns:
            The masks, shape (g, h, w).
        """
        scores = self.scores
        if self.coherent is not None:
            scores = torch.where(self.coherent[:, None, None], _averaged(scores), scores)
        return self._soft(scores, temperature, pixels)

    def stamps(self) -> list[Stamp]:
        # Masks stay soft: rounding them to whole pixels would lose triggers that change many pixels a little.
        """Gives the patches with their final area."""
        soft = self.masks(COLD, self.pixels).detach()
        masks = torch.where(soft < FAINT, 0, soft)[:, None].expand_as(self.patterns).cpu().numpy()
        patterns = self.patterns.detach().cpu().numpy()
        return [Stamp(1 - mask, mask * pattern) for mask, pattern in zip(masks, patterns, strict=True)]


def _averaged(scores: Tensor) -> Tensor:
    """Averages each score with its neighbours', shape (g, h, w)."""
    weights = torch.tensor(NEIGHBOURS, device=scores.device)
    padded = functional.pad(scores[:, None], (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, (weights[:, None] * weights)[None, None])[:, 0]


@torch.no_grad()
def thresholds(scores: Tensor, temperature: float | Tensor, pixels: float | Tensor) -> Tensor:
    """Finds the score at which each mask is one half, so that the mask has the wanted area.

    Args:
        scores: scores, shape (g, p).
        temperature: softness of the masks, in the unit of the scores; above 0.
        pixels: area of the masks, above 0 and below p; one number for all, or one for each, shape (g,).

    Returns:
        The thresholds, shape (g,).
    """
    low, high = scores.amin(1) - 20 * temperature, scores.amax(1) + 20 * temperature
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_many = torch.sigmoid((scores - middle[:, None]) / temperature).sum(1) > pixels
        low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return middle


def soft_masks(scores: Tensor, temperature: float, middle: Tensor) -> Tensor:
    """Computes masks in [0, 1].

    Args:
        scores: scores, shape (g, h, w).
        temperature: softness of the masks, in the unit of the scores; above 0.
        middle: the score at which each mask is one half, shape (g,).

    Returns:
        The masks, shape (g, h, w).
    """
    return torch.sigmoid((scores - middle[:, None, None]) / temperature)
