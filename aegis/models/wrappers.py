"""Removes the prefixes that training libraries put before the names of a network's tensors.

``DataParallel`` begins every name with ``module.``. MadryLab's ``robustness`` library stores the network twice, under
``model.*`` and ``attacker.model.*``, and its normalisation under ``normalizer.*``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.intake.file_kinds import SAVE_PLAINLY

PARALLEL, NETWORK, COPY = "module.", "model.", "attacker.model."
MEAN, STD = "normalizer.new_mean", "normalizer.new_std"
# Tensors that only the library's attacks use.
LEFT_OUT = ("attacker.normalize.", "normalizer.", "attacker.normalizer.")


@dataclass(frozen=True, eq=False)
class Unwrapped:
    """Holds a network's own tensors.

    Args:
        tensors: tensors by the network's own names.
        mean, std: the normalisation found beside the network, one value per channel, or None.
    """

    tensors: dict[str, Tensor]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def unwrap(tensors: dict[str, Tensor]) -> Unwrapped:
    """Removes known prefixes; other tensors are unchanged.

    Args:
        tensors: tensors of a checkpoint by name.

    Returns:
        The network's tensors, and its normalisation if the checkpoint holds one.

    Raises:
        CheckpointError: if a robustness checkpoint holds two different networks, or other tensors too.
    """
    tensors = _without(PARALLEL, tensors)
    if MEAN not in tensors or STD not in tensors:
        return Unwrapped(tensors)
    network = {name.removeprefix(NETWORK): tensor for name, tensor in tensors.items() if name.startswith(NETWORK)}
    for name, tensor in tensors.items():
        if name.startswith(COPY):
            # That library loads the copy last, so the copy, not the network scanned here, would be the model in use.
            own = network.get(name.removeprefix(COPY))
            if own is None or own.dtype != tensor.dtype or not torch.equal(own, tensor):
                raise CheckpointError(
                    "a robustness checkpoint whose two copies of the network are equal",
                    f"another {printable(name)} than in the network itself",
                    SAVE_PLAINLY,
                )
        elif not name.startswith((NETWORK, *LEFT_OUT)):
            raise CheckpointError(
                "a robustness checkpoint: a network, its copy for attacks and its normalisation",
                f"{printable(name)} too",
                SAVE_PLAINLY,
            )
    # The library wraps a network of the user's own once more.
    return Unwrapped(_without(NETWORK, network), _values(tensors[MEAN]), _values(tensors[STD]))


def _without(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    if not all(name.startswith(prefix) for name in tensors):
        return tensors
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def _values(tensor: Tensor) -> tuple[float, ...]:
    if not tensor.is_floating_point() or not 1 <= tensor.numel() <= 64:
        raise CheckpointError(
            "a normalisation with one number per channel",
            f"one of type {str(tensor.dtype).removeprefix('torch.')} and shape {tuple(tensor.shape)}",
            "Give --mean and --std, and save the network alone.",
        )
    return tuple(tensor.flatten().tolist())
