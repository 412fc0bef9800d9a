"""MobileNetV2 for CIFAR, with fewer strides than the original."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

# Expansion, channels for a first convolution of 32, number of blocks and stride of each stage (Sandler et al. 2018,
# table 2, with strides of 1 in the first convolution and the second stage).
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST = 1280


class Inverted(nn.Module):
    """An inverted bottleneck; where channels alone change it has a shortcut with weights, unlike the original.

    Args:
        in_channels, out_channels: channels of its input and output.
        expansion: how many times more channels its depthwise convolution has than the input.
        stride: of that convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = expansion * in_channels
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        projection = [nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)]
        self.shortcut = nn.Sequential(*(projection if stride == 1 and in_channels != out_channels else []))
        self._stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        out = functional.relu(self.bn2(self.conv2(out)))
        last: Tensor = self.bn3(self.conv3(out))
        return last + self.shortcut(x) if self._stride == 1 else last


class CifarMobileNetV2(nn.Module):
    """``conv1``, blocks under ``layers``, ``conv2`` and ``linear``.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first convolution; the others grow with it.
    """

    def __init__(self, in_channels: int, classes: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, channels = [], width
        for expansion, out, count, stride in STAGES:
            for block in range(count):
                blocks.append(Inverted(channels, out * width // 32, expansion, stride if block == 0 else 1))
                channels = out * width // 32
        self.layers = nn.Sequential(*blocks)
        last = LAST * width // 32
        self.conv2 = nn.Conv2d(channels, last, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(last)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(last, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        x = self.layers(functional.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.bn2(self.conv2(x)))
        out: Tensor = self.linear(self.avgpool(x).flatten(1))
        return out


def mobilenet_v2(in_channels: int, classes: int, width: int = 32) -> nn.Module:
    """Builds MobileNetV2 for CIFAR, as in BackdoorBench and many others.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first convolution; the others grow with it.
    """
    return CifarMobileNetV2(in_channels, classes, width)
