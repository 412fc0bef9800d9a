"""Pre-activation ResNets for small images under the names of published files."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from aegis.models.published.stages import plan


class PreActBlock(nn.Module):
    """Batch norm and rectifier before each convolution (He et al. 2016, identity mappings).

    Args:
        in_channels: channels of the input.
        layers: channels, kernel and stride of each convolution.
        raw: whether a projection reads the input as it comes, not behind the first rectifier.
    """

    def __init__(self, in_channels: int, layers: Sequence[tuple[int, int, int]], raw: bool) -> None:
        super().__init__()
        channels, strides = in_channels, 1
        for i, (out, kernel, stride) in enumerate(layers, 1):
            self.add_module(f"bn{i}", nn.BatchNorm2d(channels))
            self.add_module(f"conv{i}", nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False))
            channels, strides = out, strides * stride
        projects = strides > 1 or in_channels != channels
        projection = nn.Sequential(nn.Conv2d(in_channels, channels, 1, strides, bias=False))
        self.shortcut = projection if projects else None
        self._count, self._raw = len(layers), raw

    def forward(self, x: Tensor) -> Tensor:
        out, kept = x, x
        for i in range(1, self._count + 1):
            out = functional.relu(self.get_submodule(f"bn{i}")(out))
            if i == 1 and self.shortcut is not None:
                kept = self.shortcut(x if self._raw else out)
            out = self.get_submodule(f"conv{i}")(out)
        return out + kept


class PublishedPreAct(nn.Module):
    """Stages ``layer1`` to ``layer4`` of pre-activation blocks behind ``conv1``, and ``linear``.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        stages: the stages' blocks.
        stem: channels of the first convolution.
        features: inputs of the linear layer.
        norm: whether ``bn`` and a rectifier follow the last block.
    """

    def __init__(
        self, in_channels: int, classes: int, stages: Sequence[nn.Module], stem: int, features: int, norm: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, stem, 3, padding=1, bias=False)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        if norm:
            self.bn = nn.BatchNorm2d(features)
        self.last = nn.ReLU() if norm else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(features, classes)
        self._norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        x = self.last(self.bn(x) if self._norm else x)
        out: Tensor = self.linear(self.avgpool(x).flatten(1))
        return out


def preact_resnet(
    in_channels: int,
    classes: int,
    depths: tuple[int, ...],
    bottleneck: bool,
    width: int = 64,
    norm: int = 1,
    raw: int = 0,
) -> nn.Module:
    """Builds a PreActResNet for CIFAR: of adversarial training (with ``bn``) or of BackdoorBench (``norm=0``).

    Files do not tell where a shortcut with weights begins: behind the first rectifier, as in most of them, or before it
    (``raw=1``), as in RobustBench's and those of fast adversarial training (Wong et al. 2020).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depths: number of blocks in each of the four stages.
        bottleneck: whether blocks are 1x1-3x3-1x1 with a fourfold expansion.
        width: channels of the first stage.
        norm: 0 without batch norm and rectifier behind the last block.
        raw: 1 for shortcuts with weights that begin before the first rectifier; bottlenecks have none of these.
    """
    planned = plan(depths, bottleneck, width)
    stages = [nn.Sequential(*(PreActBlock(one.in_channels, one.layers, bool(raw)) for one in row)) for row in planned]
    return PublishedPreAct(in_channels, classes, stages, width, planned[-1][-1].out_channels, bool(norm))
