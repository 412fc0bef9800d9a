"""DeepMind's WideResNet, which many entries of RobustBench use."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from aegis.models.published.wide import wide_blocks


class DeepMindBlock(nn.Module):
    """A block of a WideResNet whose strided convolutions pad below and to the right alone, as TensorFlow does.

    Args:
        in_channels, out_channels: channels of its input and output.
        stride: 1 or 2, of the first convolution.
        activation: makes the non-linearity.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.batchnorm_0 = nn.BatchNorm2d(in_channels)
        self.relu_0 = activation()
        self.conv_0 = nn.Conv2d(in_channels, out_channels, 3, stride, bias=False)
        self.batchnorm_1 = nn.BatchNorm2d(out_channels)
        self.relu_1 = activation()
        self.conv_1 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        projection = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        self.shortcut = None if in_channels == out_channels else projection
        self._padding = (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1)

    def forward(self, x: Tensor) -> Tensor:
        active = self.relu_0(self.batchnorm_0(x))
        kept = x if self.shortcut is None else self.shortcut(active)
        out = self.relu_1(self.batchnorm_1(self.conv_0(functional.pad(active, self._padding))))
        added: Tensor = kept + self.conv_1(out)
        return added


class DeepMindStage(nn.Module):
    """Blocks of one width, under ``block``.

    Args:
        in_channels, out_channels: channels of its input and output.
        blocks: number of blocks.
        stride: of the first.
        activation: makes the non-linearity.
    """

    def __init__(
        self, in_channels: int, out_channels: int, blocks: int, stride: int, activation: type[nn.Module]
    ) -> None:
        super().__init__()
        rest = (DeepMindBlock(out_channels, out_channels, 1, activation) for _ in range(blocks - 1))
        self.block = nn.Sequential(DeepMindBlock(in_channels, out_channels, stride, activation), *rest)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block(x)
        return out


class DeepMindWide(nn.Module):
    """``init_conv``, three stages under ``layer``, ``batchnorm`` and ``logits`` (Gowal et al. 2020).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: how many times wider than 16, 32 and 64 channels the stages are.
        blocks: number of blocks in each stage.
        activation: makes the non-linearity.
    """

    def __init__(self, in_channels: int, classes: int, width: int, blocks: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.init_conv = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.layer = nn.Sequential(
            DeepMindStage(16, 16 * width, blocks, 1, activation),
            DeepMindStage(16 * width, 32 * width, blocks, 2, activation),
            DeepMindStage(32 * width, 64 * width, blocks, 2, activation),
        )
        self.batchnorm = nn.BatchNorm2d(64 * width)
        self.relu = activation()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.logits = nn.Linear(64 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        x = self.relu(self.batchnorm(self.layer(self.init_conv(x))))
        out: Tensor = self.logits(self.pool(x).flatten(1))
        return out


def deepmind_wide(in_channels: int, classes: int, depth: int = 28, width: int = 10, swish: int = 1) -> nn.Module:
    """Builds DeepMind's WideResNet-depth-width for adversarial training (Gowal et al. 2020).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depth: 4 more than a multiple of 6.
        width: how many times wider than 16, 32 and 64 channels the stages are.
        swish: 0 for rectifiers instead of Swish, which files do not tell.

    Raises:
        ValueError: for another depth.
    """
    return DeepMindWide(in_channels, classes, width, wide_blocks(depth), nn.SiLU if swish else nn.ReLU)
