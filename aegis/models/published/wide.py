"""WideResNets under the names of TRADES, which RobustBench and most adversarial training kept."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class WideBlock(nn.Module):
    """Two 3x3 convolutions, each behind batch norm and rectifier (Zagoruyko and Komodakis 2016).

    Where channels change, the shortcut begins behind the first rectifier.

    Args:
        in_channels, out_channels: channels of its input and output.
        stride: of the first convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        projection = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        self.convShortcut = None if in_channels == out_channels else projection

    def forward(self, x: Tensor) -> Tensor:
        active = functional.relu(self.bn1(x))
        kept = x if self.convShortcut is None else self.convShortcut(active)
        out: Tensor = self.conv2(functional.relu(self.bn2(self.conv1(active))))
        return out + kept


class WideStage(nn.Module):
    """Blocks of one width, under ``layer``.

    Args:
        in_channels, out_channels: channels of its input and output.
        blocks: number of blocks.
        stride: of the first.
    """

    def __init__(self, in_channels: int, out_channels: int, blocks: int, stride: int) -> None:
        super().__init__()
        first = WideBlock(in_channels, out_channels, stride)
        self.layer = nn.Sequential(first, *(WideBlock(out_channels, out_channels, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x)
        return out


class PublishedWide(nn.Module):
    """``conv1``, ``block1`` to ``block3``, ``bn1`` and ``fc``.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: how many times wider than 16, 32 and 64 channels the stages are.
        blocks: number of blocks in each stage.
        twice: whether a second first stage lies in the file that the network never uses, as in TRADES.
        bias: whether the linear layer has a bias.
    """

    def __init__(self, in_channels: int, classes: int, width: int, blocks: int, twice: bool, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.block1 = WideStage(16, 16 * width, blocks, 1)
        if twice:
            self.sub_block1 = WideStage(16, 16 * width, blocks, 1)
        self.block2 = WideStage(16 * width, 32 * width, blocks, 2)
        self.block3 = WideStage(32 * width, 64 * width, blocks, 2)
        self.bn1 = nn.BatchNorm2d(64 * width)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64 * width, classes, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        out: Tensor = self.fc(self.pool(self.relu(self.bn1(x))).flatten(1))
        return out


def wide_resnet(
    in_channels: int, classes: int, depth: int = 28, width: int = 10, twice: int = 0, bias: int = 1
) -> nn.Module:
    """Builds WideResNet-depth-width as published with TRADES (Zhang et al. 2019).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depth: 4 more than a multiple of 6.
        width: how many times wider than 16, 32 and 64 channels the stages are.
        twice: 1 for files with ``sub_block1``, a second first stage that is never used.
        bias: 0 for a linear layer without bias.

    Raises:
        ValueError: for another depth.
    """
    return PublishedWide(in_channels, classes, width, wide_blocks(depth), bool(twice), bool(bias))


def wide_blocks(depth: int) -> int:
    """Gives the number of blocks in each of the three stages of a WideResNet.

    Args:
        depth: 4 more than a multiple of 6.

    Raises:
        ValueError: for another depth.
    """
    if depth < 10 or depth % 6 != 4:
        raise ValueError(f"a WideResNet has a depth of 10, 16, 22, ..., not {depth}")
    return (depth - 4) // 6
