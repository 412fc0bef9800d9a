"""Plans the blocks of a ResNet's stages, which networks of all published kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXPANSION = 4

Layer = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Sizes of one residual block.

    Args:
        in_channels, out_channels: channels of its input and output.
        stride: stride of the whole block.
        layers: channels, kernel and stride of each convolution.
    """

    in_channels: int
    out_channels: int
    stride: int
    layers: tuple[Layer, ...]


def plan(depths: Sequence[int], bottleneck: bool, width: int) -> list[list[Planned]]:
    """Plans the blocks of each stage; every stage but the first halves the image and doubles the channels.

    Args:
        depths: number of blocks in each stage.
        bottleneck: whether blocks are 1x1-3x3-1x1 with a fourfold expansion, instead of two of 3x3.
        width: channels of the first stage.

    Returns:
        The blocks, stage by stage.

    Source: He et al. 2016.
    """
    stages, channels = [], width
    for stage, depth in enumerate(depths):
        inner, row = width * 2**stage, []
        out = inner * (EXPANSION if bottleneck else 1)
        for block in range(depth):
            stride = 2 if stage > 0 and block == 0 else 1
            basic: tuple[Layer, ...] = ((out, 3, stride), (out, 3, 1))
            layers = ((inner, 1, 1), (inner, 3, stride), (out, 1, 1)) if bottleneck else basic
            row.append(Planned(in_channels=channels, out_channels=out, stride=stride, layers=layers))
            channels = out
        stages.append(row)
    return stages
