"""The published networks by name, added to the architectures that ``build`` knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from aegis.models.architectures import ARCHITECTURES
from aegis.models.published.deepmind import deepmind_wide
from aegis.models.published.mobilenet import mobilenet_v2
from aegis.models.published.preact import preact_resnet
from aegis.models.published.resnet import cifar_resnet, cifar_resnet_without_projection, small_resnet
from aegis.models.published.vgg import cifar_vgg
from aegis.models.published.wide import wide_resnet

# Number of blocks in each stage, by depth, and whether they are bottlenecks (He et al. 2016, table 1).
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}


def _each(name: str, make: Callable[..., nn.Module]) -> dict[str, Callable[..., nn.Module]]:
    return {
        f"{name}{depth}": partial(make, depths=depths, bottleneck=bottleneck)
        for depth, (depths, bottleneck) in DEPTHS.items()
    }


PUBLISHED: dict[str, Callable[..., nn.Module]] = {
    **_each("cifar_resnet", cifar_resnet),
    "cifar_resnet20": cifar_resnet_without_projection,
    **_each("small_resnet", small_resnet),
    **_each("preact", preact_resnet),
    "wrn": wide_resnet,
    "dm_wrn": deepmind_wide,
    **{f"cifar_vgg{depth}": partial(cifar_vgg, depth=depth) for depth in (11, 13, 16, 19)},
    "cifar_mobilenetv2": mobilenet_v2,
}

# Added from here, as families.py does: the file of the older architectures keeps its meaning.
ARCHITECTURES.update(PUBLISHED)
