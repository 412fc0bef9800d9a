"""Computes a convolution and the ReLU after it in one go, for networks that are only evaluated on a processor.

The output is written once instead of twice, and is the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from aegis.models.fold import convolutions_before, put_in_place

aten = torch.ops.aten


def can_join(dtype: torch.dtype) -> bool:
    """Tells whether this processor and this build of torch join them at a precision.

    Args:
        dtype: of weights and images.
    """
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return False
    return dtype == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def rectified_convolutions(network: nn.Module, run: Callable[[], object], read: str) -> list[tuple[str, str]]:
    """Finds each convolution whose output goes to one ReLU and nowhere else.

    Args:
        network: the network, in evaluation mode, without batch norms that can be folded.
        run: passes a batch through the network.
        read: name of a module whose output is used as it is; empty for none.

    Returns:
        Names of the convolution and of its ReLU, for each pair.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str, _: nn.Module, __: object, output: Tensor) -> None:
        seen[name] = output

    kept = [(name, one) for name, one in network.named_modules() if name == read or _is_plain(one)]
    handles = [one.register_forward_hook(partial(keep, name)) for name, one in kept]
    try:
        pairs = convolutions_before(network, run, lambda one: type(one) is nn.ReLU and not one.inplace)
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in pairs if pair[0] in seen and seen[pair[0]] is not seen.get(read)]


def join_rectified(network: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """Joins convolutions with their ReLUs, in place.

    Args:
        network: the network, in evaluation mode, whose weights need no gradients.
        pairs: names of convolution and ReLU, as ``rectified_convolutions`` finds them.
    """
    for conv_name, relu_name in pairs:
        conv = network.get_submodule(conv_name)
        assert isinstance(conv, nn.Conv2d)
        put_in_place(network, conv_name, RectifiedConvolution(conv))
        put_in_place(network, relu_name, nn.Identity())


class RectifiedConvolution(nn.Module):
    """A convolution with a ReLU after it.

    Args:
        conv: the convolution, whose weights need no gradients.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """Computes the output, shape (n, c, h, w)."""
        conv = self.conv
        out: Tensor = _Rectified.apply(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
        return out


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - of autograd
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> Tensor:
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, padding, stride, dilation, groups, "relu", [], ""
        )
        ctx.save_for_backward(x, weight, out)
        ctx.shape = stride, padding, dilation, groups
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (x, weight, out), (stride, padding, dilation, groups) = ctx.saved_tensors, ctx.shape
        # Average pooling gives gradients in another order, in which this is several times as slow.
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        passed = aten.threshold_backward(gradient, out, 0)
        only_input = [True, False, False]
        (back, _, _) = aten.convolution_backward(
            passed, x, weight, None, stride, padding, dilation, False, [0, 0], groups, only_input
        )
        return back, None, None, None, None, None, None


def _is_plain(conv: nn.Module) -> bool:
    return type(conv) is nn.Conv2d and conv.padding_mode == "zeros" and not isinstance(conv.padding, str)
