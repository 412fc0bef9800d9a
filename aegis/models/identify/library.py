"""Names and shapes of all networks of torchvision and timm, looked up instead of built.

Building one takes a second, and there are more than a thousand. The table is written by ``library_table``; networks of
another version that are not in it are not proposed, and what is proposed is built before it is believed.
"""

from __future__ import annotations

import json
import lzma
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aegis.models.identify.own import Proposal
from aegis.models.identify.views import Shape, Shapes

TABLE = Path(__file__).with_name("library.json.xz")
# Lists of names that are compared shape by shape, and the networks proposed.
LISTS, PROPOSED = 6, 24
COLOURS = 3
# Where transformers keep what depends on the image size: positions, patches, option for the size, for the patches.
SIZED = (
    ("pos_embed", "patch_embed.proj.weight", "img_size", "patch_size"),
    ("encoder.pos_embedding", "conv_proj.weight", "image_size", ""),
)


@dataclass(frozen=True, eq=False)
class Known:
    """One network of a library.

    Args:
        architecture: as in ``architectures.build``.
        names: its tensors, without counters.
        shapes: shape of each, for three channels and seven classes.
        heads: positions of the tensors whose first axis is the classes.
        stem: position of the convolution that reads the images, or None.
        side: usual side of its images in pixels.
        weights: whether the library offers trained weights.
    """

    architecture: str
    names: list[str]
    shapes: list[Shape]
    heads: list[int]
    stem: int | None
    side: int
    weights: bool


def proposals(shapes: Shapes) -> list[tuple[Proposal, Shapes]]:
    """Proposes the networks of torchvision and timm whose names and shapes are nearest, the nearest first.

    Args:
        shapes: shapes by name, without prefix.

    Returns:
        At most ``PROPOSED``, with the shapes of their tensors, but for those that the options change.
    """
    found = []
    for known in _of_similar_names(shapes):
        classes, channels = _classes(known, shapes), _channels(known, shapes)
        wanted = _wanted(known, classes, channels)
        options, side = _sized(known, wanted, shapes)
        differing = len(wanted.items() ^ shapes.items()) - 2 * options.count("=")
        proposal = Proposal(known.architecture + options, channels, classes, side)
        found.append((differing, proposal, wanted))
    found.sort(key=lambda one: (one[0], *preference(one[1].architecture)))
    return [(proposal, wanted) for _, proposal, wanted in found[:PROPOSED]]


def preference(architecture: str) -> tuple[object, ...]:
    """Gives a key that puts the usual ones first among architectures that fit alike.

    Args:
        architecture: its name.
    """
    room = architecture.partition(":")[0]
    usual = architecture not in _offered() if room == "timm" else False
    return ("aegis", "torchvision", "timm").index(room), architecture.count(","), usual, len(architecture), architecture


def _wanted(known: Known, classes: int, channels: int) -> Shapes:
    wanted = dict(zip(known.names, known.shapes, strict=True))
    for head in known.heads:
        wanted[known.names[head]] = (classes, *known.shapes[head][1:])
    if known.stem is not None:
        out, _, *kernel = known.shapes[known.stem]
        wanted[known.names[known.stem]] = (out, channels, *kernel)
    return wanted


def _classes(known: Known, shapes: Shapes) -> int:
    """Reads the number of classes from the last layer, or from what lies in its place."""
    for head in known.heads:
        if shape := shapes.get(known.names[head]):
            return shape[0]
    beside = [s for name, s in shapes.items() if len(s) == 2 and name not in known.names]
    return beside[-1][0] if beside else 10


def _channels(known: Known, shapes: Shapes) -> int:
    shape = () if known.stem is None else shapes.get(known.names[known.stem], ())
    return shape[1] if len(shape) > 1 else COLOURS


def _sized(known: Known, wanted: Shapes, shapes: Shapes) -> tuple[str, int]:
    """Reads the options of a transformer for images or patches of another size than usual, and the images' side."""
    for positions, patches, of_images, of_patches in SIZED:
        if not {positions, patches} <= wanted.keys() & shapes.keys():
            continue
        usual, patch = wanted[patches][-1], shapes[patches][-1]
        if len(shapes[positions]) != 3 or shapes[positions] == wanted[positions] or not (of_patches or usual == patch):
            break
        before = wanted[positions][1] - (known.side // usual) ** 2
        grid = math.isqrt(max(0, shapes[positions][1] - before))
        if grid * grid + before != shapes[positions][1]:
            break
        options = f",{of_images}={grid * patch}" + (f",{of_patches}={patch}" if usual != patch else "")
        return options, grid * patch
    return "", known.side


def _of_similar_names(shapes: Shapes) -> list[Known]:
    """The networks with the lists of names that have most in common with these."""
    table, names = _table(), set(shapes)
    scored = []
    for i, known in enumerate(table["names"]):
        common = len(names.intersection(known))
        scored.append((common / (len(names) + len(known) - common), i))
    best = {i for score, i in sorted(scored, reverse=True)[:LISTS] if score > 0}
    return [_known(row) for row in table["models"] if row[1] in best]


def _known(row: list[Any]) -> Known:
    name, names, shapes, heads, stem, side, weights = row
    return Known(name, _table()["names"][names], list(_shapes(shapes)), heads, stem, side, bool(weights))


def _shapes(text: str) -> Iterable[Shape]:
    return (tuple(map(int, shape.split("x"))) if shape != "-" else () for shape in text.split(" "))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(lzma.decompress(TABLE.read_bytes()))
    return table


@cache
def _offered() -> frozenset[str]:
    return frozenset(row[0] for row in _table()["models"] if row[6])
