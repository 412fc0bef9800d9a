"""Small architectures of the older and the simpler kinds: LeNet, VGG, strided convolutions, a transformer, an MLP.

Networks that end in linear layers over a map take images of any size: the map is averaged to a grid of fixed side,
which changes nothing where the map has that side already.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from aegis.models.architectures import ARCHITECTURES


def plain(in_channels: int, classes: int, width: int = 16, grid: int = 7, hidden: int = 100) -> nn.Module:
    """Builds four 3x3 convolutions without batch norm, two max poolings and two linear layers.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first two convolutions; the others have twice as many.
        grid: side of the map that the linear layers read: 7 for 28-pixel images, 8 for 32.
        hidden: outputs of the first linear layer.
    """
    layers: list[nn.Module] = []
    for channels in (width, 2 * width):
        layers += _convolution(in_channels, channels, 3) + _convolution(channels, channels, 3) + [nn.MaxPool2d(2)]
        in_channels = channels
    return _he(nn.Sequential(*layers, *_dense(in_channels, grid, (hidden,), classes)))


def strided(
    in_channels: int, classes: int, width: int = 16, grid: int = 7, hidden: int = 100, deep: int = 0
) -> nn.Module:
    """Builds convolutions of stride 2 instead of pooling and two linear layers, for certified training (Wong 2018).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first convolution; the last has twice as many.
        grid: side of the map that the linear layers read: 7 for 28-pixel images, 8 for 32.
        hidden: outputs of the first linear layer.
        deep: 1 for a 3x3 convolution before each of the two strided ones.
    """
    layers: list[nn.Module] = []
    for channels in (width, 2 * width):
        if deep:
            layers += _convolution(in_channels, channels, 3)
            in_channels = channels
        layers += _convolution(in_channels, channels, 4, 2)
        in_channels = channels
    return _he(nn.Sequential(*layers, *_dense(in_channels, grid, (hidden,), classes)))


def lenet(in_channels: int, classes: int, width: int = 6) -> nn.Module:
    """Builds LeNet-5 with rectifiers and max pooling (LeCun et al. 1998).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first convolution, 6 in the original; the others grow with it.
    """
    second = max(1, 16 * width // 6)
    layers = [
        *_convolution(in_channels, width, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(width, second, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    return _he(nn.Sequential(*layers, *_dense(second, 5, (120, 84), classes)))


def vgg(in_channels: int, classes: int, width: int = 16, grid: int = 3, hidden: int = 128, norm: int = 0) -> nn.Module:
    """Builds three stages of two 3x3 convolutions and a max pooling, then two linear layers (Simonyan 2015).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first stage; the last has four times as many.
        grid: side of the map that the linear layers read: 3 for 28-pixel images, 4 for 32.
        hidden: outputs of the first linear layer.
        norm: 1 for batch norm after each convolution.
    """
    layers: list[nn.Module] = []
    for channels in (width, 2 * width, 4 * width):
        for _ in range(2):
            layers += _convolution(in_channels, channels, 3, norm=bool(norm))
            in_channels = channels
        layers.append(nn.MaxPool2d(2))
    return _he(nn.Sequential(*layers, *_dense(in_channels, grid, (hidden,), classes)))


def mlp(in_channels: int, classes: int, width: int = 128, side: int = 28, depth: int = 2) -> nn.Module:
    """Builds linear layers alone.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: outputs of each hidden layer.
        side: side of the images in pixels; others are averaged to it.
        depth: number of hidden layers.
    """
    layers: list[nn.Module] = []
    inputs = in_channels * side * side
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return _he(nn.Sequential(_Flat(side), *layers, nn.Linear(inputs, classes)))


class _Flat(nn.Module):
    """Averages images to one size and flattens them in one module, so that no image is taken for a feature map."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(x, self.side).flatten(1)


class _PreActivation(nn.Module):
    """A residual block with batch norm and rectifier before each convolution (He et al. 2016, identity mappings)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.BatchNorm2d(in_channels)
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        )
        same = stride == 1 and in_channels == out_channels
        self.shortcut = None if same else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = functional.relu(self.first(x))
        kept = x if self.shortcut is None else self.shortcut(active)
        out: Tensor = self.body(active) + kept
        return out


class PreActResNet(nn.Module):
    """Pre-activation residual blocks in three stages.

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        stem: channels of the first convolution.
        widths: channels of each stage.
        blocks: number of blocks in each stage.
    """

    def __init__(self, in_channels: int, classes: int, stem: int, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, stem, 3, padding=1, bias=False)]
        channels = stem
        for stage, width in enumerate(widths):
            for block in range(blocks):
                layers.append(_PreActivation(channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = width
        self.stages = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.pool(self.stages(x)).flatten(1))
        return out


def preact(in_channels: int, classes: int, width: int = 16, blocks: int = 2) -> nn.Module:
    """Builds a pre-activation ResNet for small images (He et al. 2016).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first stage; the last has four times as many.
        blocks: number of blocks in each of the three stages.
    """
    return PreActResNet(in_channels, classes, width, (width, 2 * width, 4 * width), blocks)


def wide(in_channels: int, classes: int, width: int = 8, depth: int = 10, factor: int = 2) -> nn.Module:
    """Builds WideResNet-depth-factor without dropout (Zagoruyko and Komodakis 2016).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: channels of the first convolution, 16 in the original.
        depth: 4 more than a multiple of 6.
        factor: how many times wider the three stages are than width, twice and four times width; 1 gives a plain
            pre-activation ResNet.
    """
    if depth < 10 or depth % 6 != 4:
        raise ValueError(f"a WideResNet has a depth of 10, 16, 22, ..., not {depth}")
    widths = tuple(factor * width * 2**stage for stage in range(3))
    return PreActResNet(in_channels, classes, width, widths, (depth - 4) // 6)


class _Attention(nn.Module):
    """Self-attention of several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        query, key, value = self.mixed(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out(seen.transpose(1, 2).reshape(batch, tokens, width))
        return out


class _Layer(nn.Module):
    """One transformer layer, normalised before each part."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), _Attention(width, heads))
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x)
        out: Tensor = x + self.dense(x)
        return out


class ViT(nn.Module):
    """A small vision transformer with fixed positions and average pooling (Dosovitskiy et al. 2021; Beyer et al. 2022).

    Args:
        in_channels: channels of the images.
        classes: number of classes.
        width: numbers for each patch; a multiple of 4 and of the heads.
        patch: side of a patch in pixels.
        depth: number of layers.
        heads: number of attention heads in each layer.
    """

    def __init__(self, in_channels: int, classes: int, width: int, patch: int, depth: int, heads: int) -> None:
        super().__init__()
        if width % 4 or width % heads:
            raise ValueError(f"a width that is a multiple of 4 and of {heads} heads, not {width}")
        self.patches = nn.Conv2d(in_channels, width, patch, patch)
        self.layers = nn.Sequential(*(_Layer(width, heads) for _ in range(depth)), nn.LayerNorm(width))
        # The last map of the network, for those who look for it: the tokens in their places.
        self.map = nn.Identity()
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        _, width, rows, columns = x.shape
        tokens = x.flatten(2).transpose(1, 2) + _positions(width, rows, columns).to(x)
        placed = self.map(self.layers(tokens).transpose(1, 2).unflatten(2, (rows, columns)))
        out: Tensor = self.head(placed.mean((2, 3)))
        return out


def _positions(width: int, rows: int, columns: int) -> Tensor:
    """Computes sines and cosines of each place on the map, shape (rows * columns, width)."""
    speeds = 10_000.0 ** -(torch.arange(width // 4) / max(1, width // 4 - 1))
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [place.flatten()[:, None] * speeds for place in (x, y)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)


def vit(in_channels: int, classes: int, width: int = 64, patch: int = 4, depth: int = 4, heads: int = 4) -> nn.Module:
    """Builds a small vision transformer; options as ``ViT``."""
    return ViT(in_channels, classes, width, patch, depth, heads)


def _convolution(in_channels: int, channels: int, kernel: int, stride: int = 1, norm: bool = False) -> list[nn.Module]:
    padding = (kernel - 1) // 2
    layers: list[nn.Module] = [nn.Conv2d(in_channels, channels, kernel, stride, padding, bias=not norm)]
    return [*layers, *([nn.BatchNorm2d(channels)] if norm else []), nn.ReLU()]


def _dense(channels: int, grid: int, hidden: tuple[int, ...], classes: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(grid), nn.Flatten()]
    inputs = channels * grid * grid
    for outputs in hidden:
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        inputs = outputs
    return [*layers, nn.Linear(inputs, classes)]


def _he(network: nn.Sequential) -> nn.Sequential:
    """Draws weights that keep the scale of activations, which batch norm does elsewhere (He et al. 2015)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    # Large first logits would drive the rectifiers of a whole layer below zero, for good, in the first steps.
    head = network[-1]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.mul_(0.1)
    return network


FAMILIES: dict[str, Callable[..., nn.Module]] = {
    "plain": plain,
    "strided": strided,
    "lenet": lenet,
    "vgg": vgg,
    "preact": preact,
    "wide": wide,
    "vit": vit,
    "mlp": mlp,
}

# Added from here, so that the file of the older architectures means what it meant when results on them were kept.
ARCHITECTURES.update(FAMILIES)
