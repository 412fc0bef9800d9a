"""Builds networks by name: ``aegis:resnet18,width=32``, ``torchvision:NAME``, ``timm:NAME`` or ``module:factory``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from aegis.core.errors import CheckpointError
from aegis.core.text import printable

EXAMPLES = "aegis:cnn32, aegis:resnet18,width=32, torchvision:resnet18, timm:resnet18 or module:factory"


class PlainCNN(nn.Sequential):
    """A network of six 3x3 convolutions with batch norm in three stages, then average pooling and a linear layer.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first stage; the last has four times as many.
    """

    def __init__(self, in_channels: int, classes: int, width: int) -> None:
        layers: list[nn.Module] = []
        for out_channels, stride in ((1, 1), (1, 1), (2, 2), (2, 1), (4, 2), (4, 1)):
            layers += _conv_bn(in_channels, out_channels * width, 3, stride)
            layers.append(nn.ReLU())
            in_channels = out_channels * width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_channels, classes))


class _Residual(nn.Module):
    """Adds a shortcut to a stack of convolutions (He et al. 2016)."""

    def __init__(self, body: nn.Sequential, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    """A ResNet for 28- and 32-pixel images, with a 3x3 stem and without max pooling (He et al. 2016).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        depths: number of blocks in each of the four stages.
        bottleneck: whether blocks are 1x1-3x3-1x1 with a fourfold expansion.
        width: channels of the first stage (64 in the paper's models).
    """

    def __init__(self, in_channels: int, classes: int, depths: tuple[int, ...], bottleneck: bool, width: int) -> None:
        super().__init__()
        expansion = 4 if bottleneck else 1
        stages: list[nn.Module] = [nn.Sequential(*_conv_bn(in_channels, width, 3, 1), nn.ReLU())]
        channels = width
        for stage, depth in enumerate(depths):
            inner = width * 2**stage
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(_block(channels, inner, inner * expansion, stride, bottleneck))
                channels = inner * expansion
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Computes logits.

        Args:
            x: normalised images, shape (n, c, h, w).

        Returns:
            Logits, shape (n, classes).
        """
        out: Tensor = self.head(self.pool(self.stages(x)).flatten(1))
        return out


def _conv_bn(in_channels: int, out_channels: int, kernel: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(out_channels)]


def _block(in_channels: int, inner: int, out_channels: int, stride: int, bottleneck: bool) -> _Residual:
    if bottleneck:
        layers = [
            *_conv_bn(in_channels, inner, 1, 1),
            nn.ReLU(),
            *_conv_bn(inner, inner, 3, stride),
            nn.ReLU(),
            *_conv_bn(inner, out_channels, 1, 1),
        ]
    else:
        layers = [*_conv_bn(in_channels, inner, 3, stride), nn.ReLU(), *_conv_bn(inner, out_channels, 3, 1)]
    same = stride == 1 and in_channels == out_channels
    shortcut = nn.Identity() if same else nn.Sequential(*_conv_bn(in_channels, out_channels, 1, stride))
    return _Residual(nn.Sequential(*layers), shortcut)


def _resnet(in_channels: int, classes: int, depths: tuple[int, ...], bottleneck: bool, width: int = 64) -> nn.Module:
    return ResNet(in_channels, classes, depths, bottleneck, width)


def _cnn(in_channels: int, classes: int, width: int) -> nn.Module:
    return PlainCNN(in_channels, classes, width)


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "cnn16": partial(_cnn, width=16),
    "cnn32": partial(_cnn, width=32),
    "resnet18": partial(_resnet, depths=(2, 2, 2, 2), bottleneck=False),
    "resnet50": partial(_resnet, depths=(3, 4, 6, 3), bottleneck=True),
}


def build(architecture: str, in_channels: int, classes: int) -> nn.Module:
    """Builds a network with fresh weights from the name of its architecture.

    Args:
        architecture: ``LIBRARY:NAME`` with optional ``,option=value`` parts; ``module:factory`` names a callable that
            returns a module and receives in_channels and classes if it takes them.
        in_channels: channels of the images.
        classes: number of classes.

    Returns:
        The network, in training mode.

    Raises:
        CheckpointError: if there is no such architecture, or it cannot be built for these images.
    """
    spec, *parts = architecture.split(",")
    room, _, name = spec.partition(":")
    options = _options(architecture, parts)
    try:
        if room == "aegis":
            return ARCHITECTURES[name](in_channels, classes, **options)
        if room == "torchvision":
            return _torchvision(name, in_channels, classes, options)
        if room == "timm":
            return _timm(name, in_channels, classes, options)
        return _from_factory(room, name, in_channels, classes, options)
    except CheckpointError:
        raise
    # Any exception of a library or of the user's factory becomes one message; a factory that exits would otherwise end
    # the command with its own exit code.
    except (Exception, SystemExit) as error:
        raise CheckpointError(
            f"an architecture such as {EXAMPLES}",
            f"{architecture!r}, which cannot be built ({type(error).__name__}: {error})",
            "Correct the name given to --arch.",
        ) from error


def runs_foreign_code(architecture: str) -> bool:
    """Tells whether building an architecture would import a module that is neither AEGIS nor a known library.

    Args:
        architecture: as in ``build``.
    """
    return architecture.partition(":")[0] not in ("aegis", "torchvision", "timm")


def _options(architecture: str, parts: list[str]) -> dict[str, int]:
    try:
        return {key: int(value) for key, value in (part.split("=") for part in parts)}
    except ValueError as error:
        raise CheckpointError(
            "options of the form name=whole number", repr(architecture), "Write for example aegis:resnet18,width=32."
        ) from error


def _timm(name: str, in_channels: int, classes: int, options: dict[str, int]) -> nn.Module:
    import timm

    # timm also accepts local-dir:PATH and hf-hub:NAME, but a card must reach neither files nor the network.
    if not timm.is_model(name) or "pretrained" in options:
        raise CheckpointError(
            "timm:NAME with the plain name of an architecture, whose weights come from the checkpoint",
            repr(printable(f"timm:{name}")) + (" with pretrained weights" if "pretrained" in options else ""),
            "Correct the name given to --arch.",
        )
    create: Callable[..., nn.Module] = timm.create_model
    return create(name, in_chans=in_channels, num_classes=classes, **options)


def _torchvision(name: str, in_channels: int, classes: int, options: dict[str, int]) -> nn.Module:
    import torchvision

    if in_channels != 3:
        raise CheckpointError(
            "images with 3 channels for a torchvision architecture",
            f"images with {in_channels}",
            "Use timm:NAME, which adapts to other channel counts, or module:factory.",
        )
    model: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    return model


def _from_factory(module: str, name: str, in_channels: int, classes: int, options: dict[str, int]) -> nn.Module:
    import inspect

    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    factory = getattr(importlib.import_module(module), name)
    offered = {"in_channels": in_channels, "classes": classes, **options}
    takes = inspect.signature(factory).parameters
    model = factory(**{key: value for key, value in offered.items() if key in takes})
    if not isinstance(model, nn.Module):
        raise TypeError(f"{module}:{name} returned {type(model).__name__}, not a torch module")
    return model


# Last, since they add to the table above.
from aegis.models import families, published  # noqa: E402, F401
