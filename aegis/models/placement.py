"""Finds where and at which precision a network runs: some keep numbers that torch does not move or convert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime


@dataclass(frozen=True)
class Placement:
    """Says how a copy of a network is made that runs.

    Args:
        runtime: device and precision.
        own: whether tensors that are plain attributes of its modules are moved and converted as well.
    """

    runtime: Runtime
    own: bool = False


def find_placement(runtime: Runtime, run: Callable[[Placement], object]) -> Placement:
    """Finds the placement nearest to a runtime at which a network runs.

    Args:
        runtime: device and precision that are wanted.
        run: tries a copy of the network; may raise anything.

    Returns:
        The runtime itself where the network runs there, else float32 on the same device, else on the processor.

    Raises:
        CheckpointError: if it runs nowhere.
    """
    exact = replace(runtime, precision="fp32")
    nearest = [Placement(runtime), Placement(runtime, own=True), Placement(exact, own=True)]
    nearest.append(Placement(replace(exact, device="cpu")))
    first: Exception | None = None
    for placement in nearest:
        try:
            run(placement)
        except torch.OutOfMemoryError:
            raise  # no fault of the network's, and a scan on the processor would be no help
        except Exception as error:  # the network's own forward may raise anything
            first = first or error
        else:
            return placement
    raise CheckpointError(
        f"a network that can be copied, run on {runtime.device} in {runtime.precision}, and differentiated",
        f"{type(first).__name__}: {first}",
        "Between pixels and logits there must be no torch.no_grad, detach or NumPy.",
    ) from first


def move_own_tensors(network: nn.Module, runtime: Runtime) -> None:
    """Moves and converts tensors that are plain attributes of modules, in place.

    Args:
        network: the network.
        runtime: device and precision.
    """
    for module, name, tensor in _own_tensors(network):
        setattr(module, name, tensor.to(runtime.device, runtime.dtype if tensor.is_floating_point() else tensor.dtype))


def detach_own_tensors(network: nn.Module) -> None:
    """Cuts tensors that are plain attributes of modules from what they were computed from, without which they cannot be
    copied.

    Args:
        network: the network.
    """
    for module, name, tensor in _own_tensors(network):
        if not tensor.is_leaf:
            setattr(module, name, tensor.detach())


def _own_tensors(network: nn.Module) -> list[tuple[nn.Module, str, Tensor]]:
    found = [(module, vars(module).items()) for module in network.modules()]
    return [(module, name, value) for module, own in found for name, value in own if isinstance(value, Tensor)]
