"""Takes gradient steps by torch, without the parts of it that take seconds to import."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

# Adam's learning rate for the masks and patterns of patches.
LEARNING_RATE = 0.1


def carried_back(stamped: Tensor, gradient: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Carries a gradient from stamped images back to what the stamps are made of.

    Args:
        stamped: images, of any shape.
        gradient: of a loss with respect to them, of the same shape.
        tensors: what they were computed from.

    Returns:
        The gradient with respect to each tensor.
    """
    # Torch takes the gradient of a single number at once; for anything else it first imports an algebra system, which
    # takes seconds.
    return torch.autograd.grad((stamped * gradient).sum(), tensors)


class Adam:
    """Adam (Kingma and Ba 2015) by torch's function for it, because torch's class takes seconds to import a compiler.

    Args:
        tensors: what is optimised, in place.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = list(tensors)
        self._means, self._squares = ([torch.zeros_like(one) for one in tensors] for _ in range(2))
        self._steps = [torch.tensor(0.0) for _ in tensors]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Takes one step.

        Args:
            gradients: of the loss with respect to each tensor.
        """
        adam(
            self.tensors,
            list(gradients),
            self._means,
            self._squares,
            [],
            self._steps,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=LEARNING_RATE,
            weight_decay=0,
            eps=1e-8,
            maximize=False,
        )
