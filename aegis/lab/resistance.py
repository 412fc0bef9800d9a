"""Trains a model to withstand patches like those that trigger inversion finds, so that only a planted one works."""

from __future__ import annotations

import torch
from torch import Tensor

from aegis.attacks.patches import Patches
from aegis.core.runtime import numpy_generator
from aegis.detect.optimise import Search
from aegis.detect.starts import noise_starts
from aegis.models.classifier import Classifier
from aegis.records.config import TriggerSearchConfig

# Of each batch, the share of images of other classes that carry a patch.
SHARE = 0.5
# Patches of each batch, and steps that each is optimised for; the scan takes 46 over all its seeds.
PATCHES, STEPS = 4, 12


def with_patches(
    classifier: Classifier, x: Tensor, y: Tensor, target: int, area: float, generator: torch.Generator
) -> Tensor:
    """Puts patches that lead to a class on some images of other classes, which are to keep their labels.

    Patches start and are optimised as in trigger inversion: from noise somewhere in the image, shrinking to their area.

    Args:
        classifier: the model at this moment, prepared by ``Classifier.frozen``.
        x: images in [0, 1], shape (n, c, h, w).
        y: their labels, shape (n,).
        target: the class that the patches lead to.
        area: share of the pixels that a patch replaces, in (0, 1).
        generator: CPU generator that draws images and patches.

    Returns:
        The images, of which ``SHARE`` of those of other classes carry one of ``PATCHES`` patches.

    Source: adversarial training (Madry et al. 2018), with patches (Rao et al. 2020) for all images of a batch at once
    (Shafahi et al. 2020), aimed at one class.
    """
    others = torch.nonzero(y.cpu() != target)[:, 0]
    others = others[torch.randperm(len(others), generator=generator)]
    each = round(SHARE * len(others)) // PATCHES
    if not each:
        return x
    chosen = others[: each * PATCHES].to(x.device)
    usual, drawn = TriggerSearchConfig(), numpy_generator(int(torch.randint(2**31, (1,), generator=generator)))
    starts = noise_starts(tuple(x.shape[1:]), usual.tiles, drawn)
    picked = [starts[i] for i in drawn.choice(len(starts), PATCHES, replace=False)]
    patches = Patches.at(picked, area, usual.initial_area, x.device)
    search = Search(classifier, x[chosen], y[chosen], target, lambda *_: None)
    rows = torch.arange(each * PATCHES, device=x.device).view(PATCHES, each)
    search.refine(patches, rows, STEPS, each)
    patched = x.clone()
    with torch.no_grad():
        patched[chosen] = patches.on(x[chosen].view(PATCHES, each, *x.shape[1:]), 1.0).flatten(0, 1)
    return patched
