"""Reads the options of AEGIS's architectures from the shapes of a network's tensors."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aegis.models.architectures import ARCHITECTURES
from aegis.models.identify.views import Shape, Shapes
from aegis.models.published.table import DEPTHS

Options = dict[str, int]
# Numbers of attention heads that are tried, the usual first: shapes do not tell them.
HEADS = (4, 8, 3, 6, 12, 2, 1, 16)
SMALL, GREY = 32, 28


@dataclass(frozen=True)
class Proposal:
    """An architecture that a network's shapes suggest.

    Args:
        architecture: as in ``architectures.build``.
        channels: channels of its images.
        classes: number of classes.
        side: likely side of its images in pixels.
    """

    architecture: str
    channels: int
    classes: int
    side: int


@dataclass(frozen=True)
class _Solved:
    """What the shapes say: first layer, last layer, options, and the side of images if they tell."""

    channels: int
    classes: int
    options: Options
    side: int | None = None


Solver = Callable[[Shapes], Iterator[_Solved]]


def proposals(shapes: Shapes) -> list[Proposal]:
    """Proposes each of AEGIS's architectures whose options can be read from the shapes.

    Args:
        shapes: shapes by name, in natural order.

    Returns:
        The proposals, of which most do not fit: names and shapes of all tensors have to be compared.
    """
    found = []
    for name, solve in SOLVERS.items():
        try:
            solved = list(solve(shapes))
        except (LookupError, ValueError, ZeroDivisionError):  # a tensor that this architecture has is not there
            continue
        for one in solved:
            side = one.side or (GREY if one.channels == 1 else SMALL)
            found.append(Proposal(f"aegis:{name}{_written(name, one.options)}", one.channels, one.classes, side))
    return found


def _written(name: str, options: Options) -> str:
    """Writes the options that the architecture has and that differ from what is taken without them."""
    usual = {key: value.default for key, value in inspect.signature(ARCHITECTURES[name]).parameters.items()}
    return "".join(f",{key}={value}" for key, value in options.items() if usual.get(key, value) != value)


def _of_stages(depth: int, *beside: str, head: str = "linear.weight", **tried: tuple[int, ...]) -> Solver:
    """Makes a solver for a ResNet of a depth in four stages.

    Args:
        depth: a key of ``DEPTHS``.
        beside: names of tensors that it has, or with a dash in front has not.
        head: name of its last layer.
        tried: values of an option that shapes do not tell, the usual first.
    """

    def solve(shapes: Shapes) -> Iterator[_Solved]:
        blocks, bottleneck = DEPTHS[depth]
        found = tuple(_blocks(shapes, f"layer{stage}.{{}}.conv1.weight") for stage in (1, 2, 3, 4))
        _check(found == blocks and ("layer1.0.conv3.weight" in shapes) == bottleneck)
        _check(all((name.lstrip("-") in shapes) != name.startswith("-") for name in beside))
        width, channels = shapes["conv1.weight"][:2]
        options = {"width": width, "norm": int("bn.weight" in shapes)}
        for option, values in tried.items() or (("width", (width,)),):
            for value in values:
                yield _Solved(channels, shapes[head][0], options | {option: value})

    return solve


def _resnet(depth: int) -> Solver:
    """Of AEGIS's own ResNets."""

    def solve(shapes: Shapes) -> Iterator[_Solved]:
        blocks, bottleneck = DEPTHS[depth]
        _check(_blocks(shapes, "stages.{}.body.0.weight", 1) == sum(blocks))
        _check(("stages.1.body.6.weight" in shapes) == bottleneck)
        width, channels = shapes["stages.0.0.weight"][:2]
        yield _Solved(channels, shapes["head.weight"][0], {"width": width})

    return solve


def _vgg_of(depth: int) -> Solver:
    """Of the published VGG, which has three layers more than convolutions in the original's count."""

    def solve(shapes: Shapes) -> Iterator[_Solved]:
        _check(len(_numbered(shapes, 4)) == depth - 3)
        width, channels = shapes["features.0.weight"][:2]
        yield _Solved(channels, shapes["classifier.weight"][0], {"width": width})

    return solve


def _mobilenet(shapes: Shapes) -> Iterator[_Solved]:
    _check("layers.0.conv3.weight" in shapes)
    width, channels = shapes["conv1.weight"][:2]
    yield _Solved(channels, shapes["linear.weight"][0], {"width": width})


def _check(holds: bool) -> None:
    if not holds:
        raise LookupError("another architecture")


def _numbered(shapes: Shapes, axes: int) -> list[Shape]:
    """Shapes of the weights with so many axes, in the order of their numbers."""
    return [shape for name, shape in shapes.items() if name.endswith("weight") and len(shape) == axes]


def _side(numbers: int) -> int:
    side = math.isqrt(numbers)
    if side * side != numbers:
        raise ValueError(f"{numbers} is no square")
    return side


def _sequence(convolutions: int, linear: int) -> Solver:
    """Makes a solver for numbered convolutions, whose first channels are its width, and linear layers."""

    def solve(shapes: Shapes) -> Iterator[_Solved]:
        maps, dense = _numbered(shapes, 4), _numbered(shapes, 2)
        _check((len(maps), len(dense)) == (convolutions, linear))
        yield _Solved(maps[0][1], dense[-1][0], {"width": maps[0][0]})

    return solve


def _narrow(shapes: Shapes) -> Iterator[_Solved]:
    """The same of the usual width alone: with another one, cnn16 and cnn32 are one network."""
    yield from (one for one in _sequence(6, 1)(shapes) if one.options["width"] == 16)


def _not_narrow(shapes: Shapes) -> Iterator[_Solved]:
    yield from (one for one in _sequence(6, 1)(shapes) if one.options["width"] != 16)


def _with_hidden(*names: str) -> Solver:
    """Of numbered convolutions and two linear layers over a map of fixed side."""

    def solve(shapes: Shapes) -> Iterator[_Solved]:
        maps, (hidden, last) = _numbered(shapes, 4), _numbered(shapes, 2)
        grid = _side(hidden[1] // maps[-1][0])
        known = {
            "width": maps[0][0],
            "grid": grid,
            "hidden": hidden[0],
            "deep": int(maps[0][2] == 3),
            "norm": int(any(name.endswith("running_mean") for name in shapes)),
        }
        # Three poolings of maps that are rounded down, or two layers that halve them.
        side = (GREY if grid == 3 else 8 * grid) if "norm" in names else 4 * grid
        yield _Solved(maps[0][1], last[0], {name: known[name] for name in names}, side)

    return solve


def _preact(shapes: Shapes) -> Iterator[_Solved]:
    width, channels = shapes["stages.0.weight"][:2]
    blocks = _blocks(shapes, "stages.{}.first.weight", 1)
    yield _Solved(channels, shapes["head.weight"][0], {"width": width, "blocks": blocks // 3})


def _wide(shapes: Shapes) -> Iterator[_Solved]:
    width, channels = shapes["stages.0.weight"][:2]
    depth = 2 * _blocks(shapes, "stages.{}.first.weight", 1) + 4
    factor = shapes["stages.1.body.0.weight"][0] // width
    yield _Solved(channels, shapes["head.weight"][0], {"width": width, "depth": depth, "factor": factor})


def _vit(shapes: Shapes) -> Iterator[_Solved]:
    width, channels, patch, _ = shapes["patches.weight"]
    depth = _blocks(shapes, "layers.{}.attention.0.weight")
    options = {"width": width, "patch": patch, "depth": depth}
    for heads in HEADS:
        if width % heads == 0:
            yield _Solved(channels, shapes["head.weight"][0], options | {"heads": heads})


def _mlp(shapes: Shapes) -> Iterator[_Solved]:
    layers = _numbered(shapes, 2)
    _check(len(layers) > 1)
    options = {"width": layers[0][0], "depth": len(layers) - 1}
    for channels in (1, 3):
        if layers[0][1] % channels == 0 and math.isqrt(area := layers[0][1] // channels) ** 2 == area:
            side = math.isqrt(area)
            yield _Solved(channels, layers[-1][0], options | {"side": side}, side)


def _bare_resnet(shapes: Shapes) -> Iterator[_Solved]:
    width, channels = shapes["conv1.weight"][:2]
    _check("layer4.0.conv1.weight" not in shapes)
    options = {"width": width, "blocks": _blocks(shapes, "layer1.{}.conv1.weight")}
    yield _Solved(channels, shapes["linear.weight"][0], options)


def _wrn(shapes: Shapes) -> Iterator[_Solved]:
    options = {
        "depth": 6 * _blocks(shapes, "block1.layer.{}.conv1.weight") + 4,
        "width": shapes["block1.layer.0.conv1.weight"][0] // 16,
        "twice": int("sub_block1.layer.0.conv1.weight" in shapes),
        "bias": int("fc.bias" in shapes),
    }
    yield _Solved(shapes["conv1.weight"][1], shapes["fc.weight"][0], options)


def _dm_wrn(shapes: Shapes) -> Iterator[_Solved]:
    depth = 6 * _blocks(shapes, "layer.0.block.{}.conv_0.weight") + 4
    options = {"depth": depth, "width": shapes["layer.0.block.0.conv_0.weight"][0] // 16}
    for swish in (1, 0):
        yield _Solved(shapes["init_conv.weight"][1], shapes["logits.weight"][0], options | {"swish": swish})


def _blocks(shapes: Shapes, name: str, first: int = 0) -> int:
    """Counts the blocks of a stage."""
    count = first
    while name.format(count) in shapes:
        count += 1
    if count == first:
        raise LookupError(name)
    return count - first


# A solver for each of ``ARCHITECTURES``.
SOLVERS: dict[str, Solver] = {
    "cnn16": _narrow,
    "cnn32": _not_narrow,
    "resnet18": _resnet(18),
    "resnet50": _resnet(50),
    "plain": _with_hidden("width", "grid", "hidden"),
    "strided": _with_hidden("width", "grid", "hidden", "deep"),
    "lenet": _sequence(2, 3),
    "vgg": _with_hidden("width", "grid", "hidden", "norm"),
    "preact": _preact,
    "wide": _wide,
    "vit": _vit,
    "mlp": _mlp,
    **{f"cifar_resnet{depth}": _of_stages(depth, "bn1.weight") for depth in DEPTHS},
    "cifar_resnet20": _bare_resnet,
    **{f"small_resnet{depth}": _of_stages(depth, "bn1.weight", head="fc.weight", pool=(0, 1)) for depth in DEPTHS},
    # Bottlenecks begin their shortcuts in one place only.
    **{
        f"preact{depth}": _of_stages(depth, "-bn1.weight", raw=(0, 1)[: 1 + (not DEPTHS[depth][1])]) for depth in DEPTHS
    },
    "wrn": _wrn,
    "dm_wrn": _dm_wrn,
    **{f"cifar_vgg{depth}": _vgg_of(depth) for depth in (11, 13, 16, 19)},
    "cifar_mobilenetv2": _mobilenet,
}
