"""Computes gradients of stamped images by batches, for several classes side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from aegis.models.classifier import Classifier

Loss = Callable[[Tensor, Tensor], Tensor]


def gradient_of(classifier: Classifier, images: Tensor, labels: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """Computes logits of images and the gradient of a loss with respect to them, in batches.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: in [0, 1], shape (n, c, h, w).
        labels: the class that each image is to become, shape (n,).
        loss: computes a number from logits (m, k) and labels (m,); the numbers of all batches are added up.

    Returns:
        Logits, shape (n, k), and the gradient, shape (n, c, h, w).
    """
    logits, gradients = list[Tensor](), list[Tensor]()
    for part, wanted in zip(torch.split(images.detach(), classifier.batch), torch.split(labels, classifier.batch)):
        leaf = part.requires_grad_()
        out = classifier(leaf)
        gradients += torch.autograd.grad(loss(out, wanted), leaf)
        logits.append(out.detach())
    return torch.cat(logits), torch.cat(gradients)
