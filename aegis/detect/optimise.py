"""Optimises stamps on seed images: what every family of the trigger search shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn import functional

from aegis.attacks.stamps import Stamps
from aegis.core.types import Stamp
from aegis.metrics import predict
from aegis.models.classifier import Classifier

# Number of last losses that are averaged to score a stamp, because the loss of one batch is too noisy.
SCORED = 3
# Images that are shown with the best stamp on them while a search runs.
SHOWN = 6
Frames = Float32[np.ndarray, "n c h w"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A stamp that a search found.

    Args:
        stamp: the stamp.
        loss: mean of its last losses.
        start: where the search started, in words.
        source: the only class that the stamp is made for, or None.
    """

    stamp: Stamp
    loss: float
    start: str
    source: int | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """Holds what all searches for one class share.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: images of other classes in [0, 1], shape (n, c, h, w), on the classifier's device.
        sources: their classes, shape (n,), on the same device.
        label: the class under test.
        tell: called after each step with the mean loss of each stamp, shape (g,), and with a function that gives a few
            seeds with the best of them on; and, where only some stamps are optimised at a time, with ``share``, that of
            these among all.
        evenly: how many seeds, the first, were drawn evenly from all other classes; None for all.
        only: source classes that source-specific stamps are searched for; None for all that have seeds.
    """

    classifier: Classifier
    seeds: Tensor
    sources: Tensor
    label: int
    tell: Callable[..., None]
    evenly: int | None = None
    only: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        seeds: Frames,
        sources: Int64[np.ndarray, " n"],
        label: int,
        tell: Callable[..., None],
        evenly: int | None = None,
        only: tuple[int, ...] | None = None,
    ) -> Search:
        """Makes a search of seeds that are not on the classifier's device yet; arguments as of the class."""
        device = classifier.mean.device
        x, y = torch.from_numpy(seeds).to(device), torch.from_numpy(sources).to(device)
        return cls(classifier, x, y, label, tell, evenly, only)

    def refine(
        self,
        stamps: Stamps,
        positions: Tensor,
        steps: int,
        batch: int,
        *,
        away: bool = False,
        progress: tuple[float, float] = (0.0, 1.0),
    ) -> list[float]:
        """Optimises stamps side by side.

        Args:
            stamps: g stamps, changed in place.
            positions: positions of the seeds that each stamp is optimised on, shape (g, m), or (1, m) for all the same.
            steps: number of steps, at least 1.
            batch: seeds of each stamp in each step, at least 1.
            away: whether to lead each image away from its own class, instead of all into the class under test.
            progress: of the whole optimisation, before and after these steps, in [0, 1].

        Returns:
            Mean of the last losses of each stamp, length g.
        """
        last: list[Tensor] = []
        start, end = progress
        for step in range(steps):
            moment = start + (end - start) * (step + 1) / steps
            turn = torch.arange(step * batch, (step + 1) * batch, device=positions.device) % positions.shape[1]
            chosen = positions[:, turn]
            stamped = stamps.on(self.seeds[chosen], moment)
            labels = self.sources[chosen].expand(len(stamped), -1).flatten()
            each, gradient = self._down(stamped.detach().flatten(0, 1), labels, away)
            losses = each.view(len(stamped), -1).mean(1)
            stamps.step(stamped, gradient.view_as(stamped), moment)
            last = [*last[1 - SCORED :], losses]
            self.tell(losses, partial(self._shown, stamps, positions, losses, moment))
        means: list[float] = torch.stack(last).mean(0).tolist()
        return means

    @torch.no_grad()
    def _shown(self, stamps: Stamps, positions: Tensor, losses: Tensor, moment: float) -> Frames:
        best = int(losses.argmin())
        rows = positions[best % len(positions)][:SHOWN]
        shown: Frames = stamps.some([best]).on(self.seeds[rows][None], moment)[0].cpu().numpy()
        return shown

    def _down(self, images: Tensor, labels: Tensor, away: bool) -> tuple[Tensor, Tensor]:
        """Computes the loss and gradient of each image, in parts that fit the classifier's batch."""
        parts = []
        for x, y in zip(images.split(self.classifier.batch), labels.split(self.classifier.batch), strict=True):
            leaf = x.requires_grad_()
            logits = self.classifier(leaf)
            losses = _away(logits, y) if away else _towards(logits, self.label)
            parts.append((losses.detach(), *torch.autograd.grad(losses.sum(), leaf)))
        each, gradients = zip(*parts, strict=True)
        return torch.cat(each), torch.cat(gradients)

    def success(self, stamp: Stamp, positions: Tensor, away: bool) -> float:
        """Measures the attack success rate of a stamp on seeds.

        Args:
            stamp: the stamp.
            positions: positions of the seeds, shape (m,).
            away: whether any class but the image's own counts as success, instead of the class under test only.

        Returns:
            The share of successes, in [0, 1].
        """
        said = torch.from_numpy(predict(self.classifier, stamp(self.seeds[positions].cpu().numpy())))
        led = said != self.sources[positions].cpu() if away else said == self.label
        return float(led.float().mean())

    @property
    def everyone(self) -> Tensor:
        """Positions of all seeds that were drawn evenly, shape (1, n)."""
        count = len(self.seeds) if self.evenly is None else self.evenly
        return torch.arange(count, device=self.seeds.device)[None]

    @property
    def by_source(self) -> dict[int, Tensor]:
        """For each source class, positions of its seeds, each of shape (1, m); seeds of rarer classes are repeated."""
        there = set(self.sources.tolist())
        sought = sorted(there if self.only is None else there & set(self.only))
        rows = {k: torch.nonzero(self.sources == k)[:, 0] for k in sought}
        most = torch.arange(max(map(len, rows.values())), device=self.sources.device)
        return {k: row[most % len(row)][None] for k, row in rows.items()}


def _towards(logits: Tensor, label: int) -> Tensor:
    return functional.cross_entropy(logits, torch.full((len(logits),), label, device=logits.device), reduction="none")


def _away(logits: Tensor, labels: Tensor) -> Tensor:
    """Computes -log(1 - p) for the model's probability p of the label, shape (n,)."""
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], float("-inf")).logsumexp(1)
    return functional.softplus(own - others)
