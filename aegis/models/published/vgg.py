"""VGG with batch norm for CIFAR: ``features`` and one linear layer, ``classifier``."""

from __future__ import annotations

from torch import Tensor, nn

# Number of convolutions in each stage, by depth (Simonyan and Zisserman 2015, table 1).
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class CifarVGG(nn.Module):
    """Five stages of 3x3 convolutions, each with batch norm and a max pooling, and a linear layer.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        stages: number of convolutions in each stage.
        width: channels of the first stage.
    """

    def __init__(self, in_channels: int, classes: int, stages: tuple[int, ...], width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage, count in enumerate(stages):
            channels = width * min(2**stage, 8)
            for _ in range(count):
                layers += [nn.Conv2d(in_channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
                in_channels = channels
            # Rounded up, so that 28 pixels suffice; 32 give the same as rounded down.
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(in_channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        out: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return out


def cifar_vgg(in_channels: int, classes: int, depth: int, width: int = 64) -> nn.Module:
    """Builds VGG-depth with batch norm for CIFAR, as in BackdoorBench.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depth: a key of ``STAGES``.
        width: channels of the first stage; the last two have eight times as many.
    """
    return CifarVGG(in_channels, classes, STAGES[depth], width)
