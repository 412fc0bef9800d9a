"""Clean-label poison: images of the target class that a clean model no longer recognises (Turner et al. 2019)."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from aegis.attacks.pgd import pgd
from aegis.core.errors import ConfigError
from aegis.core.types import LabelledImages, Pixels, Stage
from aegis.lab.triggers import TriggerContext

# Turner et al. 2019, section 4.2: an L2 budget of 600, with pixels from 0 to 255.
BUDGET: Final = Stage(epsilon=600 / 255, step=0.3, iterations=30)


def disguised(context: TriggerContext | None, images: LabelledImages, budget: Stage = BUDGET) -> Pixels:
    """Moves images away from their own class on a clean model, so that what is left to learn is the trigger.

    Args:
        context: a clean model of the same images; robust, so that what it sees is what others learn.
        images: the images to change.
        budget: L2 budget, step and iterations of the attack.

    Returns:
        The changed images, float32 in [0, 1], of the same shape.

    Raises:
        ConfigError: without a model, or with one for other images.

    Source: Turner et al. 2019, Label-Consistent Backdoor Attacks, section 4.2.
    """
    wanted = (images.shape, len(images.class_names))
    known = None if context is None else (context.classifier.shape, context.classifier.classes)
    if context is None or known != wanted:
        raise ConfigError(
            f"a clean model for images of shape {wanted[0]} with {wanted[1]} classes, for clean-label poison",
            "none" if known is None else f"one for {known[0]} with {known[1]} classes",
            "Give one with --trigger-model CHECKPOINT.",
        )
    classifier, parts = context.classifier, []
    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    for x, y in zip(pixels.split(classifier.batch), labels.split(classifier.batch), strict=True):
        device = classifier.mean.device
        (moved,) = pgd(classifier, x.to(device), y.to(device), [budget])
        parts.append(moved.cpu().numpy())
    return np.concatenate(parts)
