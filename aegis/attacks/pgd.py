"""Projected gradient descent (PGD), shared by translation, robust training and evaluation.

``project`` defines the epsilon ball. ``pgd`` works through several radii (epsilon) in turn, one for each stage, and
returns the images reached at each (Madry et al. 2018; Section 4, step 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aegis.core.types import Norm, Stage

OnStep = Callable[[int, Tensor, Tensor], None]


def pgd(
    forward: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    stages: Sequence[Stage],
    *,
    norm: Norm = "l2",
    targeted: bool = False,
    random_start: bool = False,
    keep_best: bool = False,
    generator: torch.Generator | None = None,
    on_step: OnStep | None = None,
) -> list[Tensor]:
    """Takes a fixed number of steps inside the epsilon ball, towards the labels (targeted) or away from them.

    Args:
        forward: maps images in [0, 1] to logits.
        images: starting images in [0, 1], shape (n, c, h, w).
        labels: the class to reach (targeted) or to leave, shape (n,).
        stages: budgets in turn; each continues where the one before it ended.
        norm: norm of the ball, ``l2`` or ``linf``.
        targeted: whether to minimise the loss of ``labels`` instead of maximising it.
        random_start: whether to start at a random point of the first ball.
        keep_best: whether to return the best image of each stage instead of the last one.
        generator: CPU generator for the random start.
        on_step: called after each step with its number, the loss of each image and the images; it may raise to stop.

    Returns:
        Images in [0, 1] at the end of each stage, each of shape (n, c, h, w).

    Source: Madry et al. 2018; equation 5 of the paper when targeted.
    """
    sign = -1.0 if targeted else 1.0
    current = images
    if random_start:
        current = _random_point(images, stages[0].epsilon, norm, generator)
    snapshots: list[Tensor] = []
    done = 0
    for stage in stages:
        best = _Best(keep_best)
        for _ in range(stage.iterations):
            gradient, losses = _gradient(forward, current, labels)
            best.offer(current, sign * losses)
            moved = current + sign * stage.step * direction(gradient, norm)
            current = project(moved, images, stage.epsilon, norm)
            done += 1
            if on_step is not None:
                on_step(done, losses, current)
        if keep_best:
            with torch.no_grad():
                best.offer(current, sign * functional.cross_entropy(forward(current), labels, reduction="none"))
        snapshots.append(best.images if keep_best else current)
    return snapshots


def project(images: Tensor, centre: Tensor, radius: float, norm: Norm) -> Tensor:
    """Projects images onto the ball around ``centre``, then clips them to [0, 1].

    Args:
        images, centre: images, shape (n, c, h, w).
        radius: radius of the ball, at least 0.
        norm: ``l2`` or ``linf``.

    Returns:
        The projected images, shape (n, c, h, w).
    """
    change = images - centre
    if norm == "linf":
        change = torch.clamp(change, -radius, radius)
    else:
        length = _length(change)
        # The radius is a tensor: torch divides a plain number by multiplying with the reciprocal, which rounds twice.
        change = change * (torch.full_like(length, radius) / length).clamp(max=1.0)
    return (centre + change).clamp_(0.0, 1.0)


class _Best:
    """Keeps, for each image, the version with the highest objective."""

    def __init__(self, active: bool) -> None:
        self.active = active
        self.images = torch.empty(0)
        self.objective = torch.empty(0)

    def offer(self, images: Tensor, objective: Tensor) -> None:
        if not self.active:
            return
        if not len(self.images):
            self.images, self.objective = images.clone(), objective
            return
        better = objective > self.objective
        self.images = torch.where(better.view(-1, 1, 1, 1), images, self.images)
        self.objective = torch.where(better, objective, self.objective)


def _gradient(forward: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    leaf = images.detach().requires_grad_()
    losses = functional.cross_entropy(forward(leaf), labels, reduction="none")
    (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    return gradient, losses.detach()


def _length(images: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(images, dim=(1, 2, 3), keepdim=True)
    return length.clamp_min(1e-12)


def direction(gradient: Tensor, norm: Norm) -> Tensor:
    """Scales each gradient to length 1 in the norm.

    Args:
        gradient: one gradient per image, shape (n, c, h, w).
        norm: ``l2`` or ``linf``.

    Returns:
        Unit directions, shape (n, c, h, w).
    """
    unit: Tensor = gradient.sign() if norm == "linf" else gradient / _length(gradient)
    return unit


def _random_point(images: Tensor, radius: float, norm: Norm, generator: torch.Generator | None) -> Tensor:
    if norm == "linf":
        noise = torch.rand(images.shape, generator=generator).to(images) * 2 - 1
        return (images + radius * noise).clamp_(0.0, 1.0)
    noise = torch.randn(images.shape, generator=generator).to(images)
    # The radius of a uniform point in an n-ball is the n-th root of a uniform number.
    share = torch.rand(len(images), generator=generator).to(images) ** (1.0 / images[0].numel())
    return (images + radius * share.view(-1, 1, 1, 1) * noise / _length(noise)).clamp_(0.0, 1.0)
