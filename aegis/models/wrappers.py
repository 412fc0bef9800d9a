"""Names that training libraries put around a network's own, taken off again.

``DataParallel`` begins every name with ``module.``. The ``robustness`` library of MadryLab wraps the network twice:
``model.*`` is the network, ``attacker.model.*`` the same one again, and ``normalizer.*`` its normalisation.
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
# Used by attacks alone.
LEFT_OUT = ("attacker.normalize.", "normalizer.", "attacker.normalizer.")


@dataclass(frozen=True, eq=False)
class Unwrapped:
    """A network's own tensors.

    Args:
        tensors: by the network's own names.
        mean, std: the normalisation found around it, one value per channel, or None.
    """

    tensors: dict[str, Tensor]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def unwrap(tensors: dict[str, Tensor]) -> Unwrapped:
    """Take off what is known around a network; other tensors stay as they are.

    Raises:
        CheckpointError: if a robustness checkpoint holds two networks that differ, or other things too.
    """
    tensors = _without(PARALLEL, tensors)
    if MEAN not in tensors or STD not in tensors:
        return Unwrapped(tensors)
    network = {name.removeprefix(NETWORK): tensor for name, tensor in tensors.items() if name.startswith(NETWORK)}
    for name, tensor in tensors.items():
        if name.startswith(COPY):
            # That library loads the copy last: it, and not what we would look at, would be the model in use.
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
    # It wraps a network of the user's own once more.
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
