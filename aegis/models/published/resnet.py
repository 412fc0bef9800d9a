"""ResNets for small images under the names of published files."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from aegis.models.published.stages import Planned, plan


class Residual(nn.Module):
    """Convolutions ``conv1``, ``bn1``, ``conv2``, ... and a shortcut, added before the last rectifier (He et al. 2016).

    Args:
        in_channels: channels of the input.
        layers: channels, kernel and stride of each convolution.
        shortcut: what leads around them; no layers if input and output have one shape.
        called: name of the shortcut, as in the published files.
    """

    def __init__(
        self, in_channels: int, layers: Sequence[tuple[int, int, int]], shortcut: nn.Module, called: str
    ) -> None:
        super().__init__()
        for i, (channels, kernel, stride) in enumerate(layers, 1):
            conv = nn.Conv2d(in_channels, channels, kernel, stride, padding=kernel // 2, bias=False)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(channels))
            in_channels = channels
        self.add_module(called, shortcut)
        self.relu = nn.ReLU()
        self._count, self._called = len(layers), called

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for i in range(1, self._count + 1):
            out = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(out))
            out = functional.relu(out) if i < self._count else out
        added: Tensor = self.relu(out + self.get_submodule(self._called)(x))
        return added


class Padded(nn.Module):
    """Every second pixel, and zeros for the channels that are missing: a shortcut without weights (He et al. 2016, A).

    Args:
        in_channels, out_channels: channels of its input and output; zeros are added in equal parts at both ends.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        more = out_channels - in_channels
        self.before, self.after = more // 2, more - more // 2

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after))


class StagedResNet(nn.Module):
    """Stages ``layer1``, ``layer2``, ... of residual blocks behind ``conv1`` and ``bn1``, and a linear layer.

    Args:
        in_channels: channels of the images.
        stem: channels of the first convolution, 3x3 of stride 1.
        stages: the stages' blocks.
        head: name, inputs and outputs of the linear layer.
        pool: whether a max pooling of stride 2 follows the first convolution.
    """

    def __init__(
        self,
        in_channels: int,
        stem: int,
        stages: Sequence[Sequence[nn.Module]],
        head: tuple[str, int, int],
        pool: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1) if pool else nn.Identity()
        for i, blocks in enumerate(stages, 1):
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        called, features, classes = head
        self.add_module(called, nn.Linear(features, classes))
        self._count, self._head = len(stages), called

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(1, self._count + 1):
            x = self.get_submodule(f"layer{i}")(x)
        out: Tensor = self.get_submodule(self._head)(self.avgpool(x).flatten(1))
        return out


def cifar_resnet(
    in_channels: int, classes: int, depths: tuple[int, ...], bottleneck: bool, width: int = 64
) -> nn.Module:
    """Builds the ResNet of MadryLab's ``robustness`` for CIFAR, RobustBench and many others: ``shortcut``, ``linear``.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depths: number of blocks in each stage.
        bottleneck: whether blocks are 1x1-3x3-1x1 with a fourfold expansion.
        width: channels of the first stage.
    """
    stages, features = _stages(depths, bottleneck, width, "shortcut")
    return StagedResNet(in_channels, width, stages, ("linear", features, classes))


def small_resnet(
    in_channels: int, classes: int, depths: tuple[int, ...], bottleneck: bool, width: int = 64, pool: int = 0
) -> nn.Module:
    """Builds torchvision's ResNet with a first convolution of 3x3 and stride 1, as is common for small images.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depths: number of blocks in each stage.
        bottleneck: whether blocks are 1x1-3x3-1x1 with a fourfold expansion.
        width: channels of the first stage.
        pool: 1 for those that keep the max pooling behind the first convolution.
    """
    stages, features = _stages(depths, bottleneck, width, "downsample")
    return StagedResNet(in_channels, width, stages, ("fc", features, classes), bool(pool))


def cifar_resnet_without_projection(in_channels: int, classes: int, width: int = 16, blocks: int = 3) -> nn.Module:
    """Builds ResNet-20, -32, -44, -56 or -110 for CIFAR, whose shortcuts have no weights (He et al. 2016, 4.2).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first of three stages.
        blocks: number of blocks in each stage: 3, 5, 7, 9 or 18.
    """
    planned = plan((blocks,) * 3, False, width)
    stages = [[Residual(one.in_channels, one.layers, _unweighted(one), "shortcut") for one in row] for row in planned]
    return StagedResNet(in_channels, width, stages, ("linear", planned[-1][-1].out_channels, classes))


def _unweighted(one: Planned) -> nn.Module:
    return Padded(one.in_channels, one.out_channels) if one.stride > 1 else nn.Identity()


def _projected(one: Planned) -> nn.Sequential:
    if one.stride == 1 and one.in_channels == one.out_channels:
        return nn.Sequential()
    projection = nn.Conv2d(one.in_channels, one.out_channels, 1, one.stride, bias=False)
    return nn.Sequential(projection, nn.BatchNorm2d(one.out_channels))


def _stages(depths: Sequence[int], bottleneck: bool, width: int, called: str) -> tuple[list[list[Residual]], int]:
    """Gives the blocks of each stage, and the channels of the last."""
    planned = plan(depths, bottleneck, width)
    stages = [[Residual(one.in_channels, one.layers, _projected(one), called) for one in row] for row in planned]
    return stages, planned[-1][-1].out_channels
