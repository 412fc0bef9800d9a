"""Writes the table of torchvision's and timm's networks: ``python -m aegis.models.identify.library_table``.

To be run after an update of these libraries; it builds every network without memory, which takes some ten minutes.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from aegis.models.identify.fit import outline
from aegis.models.identify.library import COLOURS, TABLE
from aegis.models.identify.own import Proposal
from aegis.models.identify.views import Shape, Shapes, plain_shapes

# Any number of classes that no layer inside a network has as its width.
CLASSES = 7
USUAL_SIDE = 224

Row = tuple[str, Shapes, list[str], int, bool]


def rows() -> Iterator[Row]:
    """Gives name, shapes, last layers, side of images and whether there are trained weights for each network."""
    import timm
    import torchvision

    for name in torchvision.models.list_models(module=torchvision.models):
        if shapes := _outline(f"torchvision:{name}", CLASSES):
            other = _outline(f"torchvision:{name}", CLASSES + 2)
            heads = [tensor for tensor in shapes if shapes[tensor] != other[tensor]]
            yield f"torchvision:{name}", shapes, heads, USUAL_SIDE, True
    for name in timm.list_models():
        if shapes := _outline(f"timm:{name}", CLASSES):
            said = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
            layers = (said.classifier,) if isinstance(said.classifier, str) else tuple(said.classifier or ())
            heads = [tensor for tensor in shapes if tensor.rpartition(".")[0] in layers]
            yield f"timm:{name}", shapes, heads, said.input_size[-1], bool(said.url or said.hf_hub_id)


def packed(found: Iterable[Row]) -> dict[str, Any]:
    """Packs rows as a table in which networks with the same names of tensors share them.

    Args:
        found: as ``rows`` gives them.

    Returns:
        What JSON can hold: names of tensors, and for each network the fields of ``library.Known``.
    """
    lists: dict[tuple[str, ...], int] = {}
    models = []
    for name, shapes, heads, side, weights in found:
        names = tuple(shapes)
        written = " ".join("x".join(map(str, shape)) or "-" for shape in shapes.values())
        places = [i for i, tensor in enumerate(names) if tensor in heads]
        known = lists.setdefault(names, len(lists))
        models.append([name, known, written, places, _stem(list(shapes.values())), side, int(weights)])
    return {"names": [list(names) for names in lists], "models": models}


def write(table: dict[str, Any]) -> None:
    """Writes the table beside the code.

    Args:
        table: from ``packed``.
    """
    TABLE.write_bytes(lzma.compress(json.dumps(table, separators=(",", ":")).encode(), preset=9))


def _stem(shapes: list[Shape]) -> int | None:
    """Position of the first convolution that reads colours."""
    return next((i for i, shape in enumerate(shapes) if len(shape) == 4 and shape[1] == COLOURS), None)


def _outline(architecture: str, classes: int) -> Shapes:
    state = outline(Proposal(architecture, COLOURS, classes, USUAL_SIDE))
    if state is None:  # some need packages that are not installed
        sys.stderr.write(f"left out: {architecture}\n")
    return plain_shapes(state or {})


if __name__ == "__main__":
    write(packed(rows()))
