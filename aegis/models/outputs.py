"""Reads logits from what a network returns: tensor, tuple, dictionary or object; logits, probabilities, one number."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, printable

Path = tuple[object, ...]
Form = Literal["logits", "log-softmax", "softmax", "sigmoid"]

LOGITS: Form = "logits"
# Names under which libraries return logits, the commonest first.
NAMES = ("logits", "out", "output")
# Containers inside each other that are searched.
DEPTH = 3
# Smaller probabilities count as this much: the slope of their logarithm would overflow.
FLOOR = 1e-30
# Rounding of probabilities that sum to 1.
TOLERANCE = 1e-3
SAID: dict[Form, str] = {
    "logits": "",
    "log-softmax": "it ends in a log-softmax, whose values are taken as logits",
    "softmax": f"it ends in a softmax, which is undone by a logarithm (of at least {FLOOR:g})",
    "sigmoid": "it ends in a sigmoid, which is undone",
}


@dataclass(frozen=True)
class Reading:
    """Says how logits are read from what a network returns.

    Args:
        path: names or positions that lead to them; empty where a tensor is returned.
        form: what the numbers are, besides logits.
        single: whether one number z stands for two classes.
    """

    path: Path = ()
    form: Form = "logits"
    single: bool = False

    def rows(self, returned: object, images: int) -> Tensor:
        """Takes the numbers that stand for the classes.

        Args:
            returned: what the network gave.
            images: number of images n that it was given.

        Returns:
            Numbers, float32, shape (n, k).
        """
        for name in self.path:
            returned = parts_of(returned)[name]
        assert isinstance(returned, Tensor)
        rows = returned.float()
        # Networks that end in a squeeze lose the first axis of a single image as well.
        return rows if rows.ndim == 2 else rows.reshape(images, -1)

    def logits(self, returned: object, images: int) -> Tensor:
        """Computes logits.

        Args:
            returned: what the network gave.
            images: number of images n that it was given.

        Returns:
            Logits, float32, shape (n, classes); for a single number z they are 0 and z.
        """
        rows = self.rows(returned, images)
        if self.form == "softmax":
            rows = rows.clamp(min=FLOOR).log()
        elif self.form == "sigmoid":
            # The floor of the second is the smallest number that float32 can tell from 1.
            rows = rows.clamp(min=FLOOR).log() - (1 - rows).clamp(min=torch.finfo(rows.dtype).eps / 2).log()
        return torch.cat([torch.zeros_like(rows), rows], dim=1) if self.single else rows

    @property
    def notes(self) -> tuple[str, ...]:
        """Says what a user would not expect, a part of a sentence each."""
        where = f"its logits are taken from {_called(self.path)} of what it returns" if self.path else ""
        single = "its one output z is taken as logits 0 and z of two classes" if self.single else ""
        return tuple(note for note in (where, SAID[self.form], single) if note)


def parts_of(returned: object) -> dict[object, object]:
    """Lists what a tuple, list, dictionary, dataclass or other object holds, by position or name.

    Args:
        returned: anything.

    Returns:
        The parts; none of something that holds nothing.
    """
    if isinstance(returned, Mapping):
        return dict(returned)
    if isinstance(returned, tuple | list):
        return dict(zip(getattr(returned, "_fields", range(len(returned))), returned))
    if dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        return {one.name: getattr(returned, one.name) for one in dataclasses.fields(returned)}
    named: dict[object, object] = {name: getattr(returned, name) for name in NAMES if hasattr(returned, name)}
    return named | getattr(returned, "__dict__", {})


def find_path(returned: object, images: int, classes: int | None) -> Path:
    """Finds the logits in what a network returned.

    Args:
        returned: what the network gave.
        images: number of images that it was given.
        classes: number of classes of the data; None where it is not known.

    Returns:
        The way to them: the only tensor of one row per image, else one with a usual name, else the first of a tuple.

    Raises:
        CheckpointError: if there is none, or several that nothing tells apart.
    """
    found = {path: tensor for path, tensor in _tensors(returned) if _width(tensor, images)}
    if not found:
        raise CheckpointError(
            "a network that returns logits, one row per image", _shown(returned), "Return them alone, or first."
        )
    vectors = {path: tensor for path, tensor in found.items() if tensor.ndim > 1}
    fitting = [p for p, t in found.items() if classes and _stands_for(_width(t, images), classes)]
    paths = fitting or list(vectors) or list(found)
    if len(paths) > 1:
        # The outermost of a name: nested ones belong to parts of the network.
        paths = [p for name in NAMES for p in sorted(paths, key=len) if str(p[-1]).lower() == name] or paths
        if not isinstance(returned, tuple | list) and str(paths[0][-1]).lower() not in NAMES:
            listed = ", ".join(f"{_called(p)} ({_width(found[p], images)})" for p in paths)
            raise CheckpointError(
                f"one tensor with logits, or one of the name {', '.join(NAMES[:-1])} or {NAMES[-1]}",
                f"{count_of(len(paths), 'tensor')} with so many numbers per image: {listed}",
                "Return the logits alone.",
            )
    return paths[0]


def form_of(rows: Tensor, before: Tensor | None) -> Form:
    """Tells what the numbers of each class are, by their content.

    Args:
        rows: numbers for several images, shape (n, k).
        before: output of the layer that they may have been computed from, or None.

    Returns:
        Their form: probabilities are recognised by their sum, or as the sigmoid of the layer's output.
    """
    if rows.shape[1] > 1 and _are_one(rows.exp().sum(1)):
        return "log-softmax"
    if not bool(((rows >= 0) & (rows <= 1)).all()):
        return "logits"
    if rows.shape[1] > 1 and _are_one(rows.sum(1)):
        return "softmax"
    same = before is not None and before.shape == rows.shape and torch.allclose(before.sigmoid(), rows, atol=1e-4)
    return "sigmoid" if same else "logits"


def _are_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < TOLERANCE).all())


def _tensors(returned: object, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(returned, Tensor):
        yield path, returned
    elif len(path) < DEPTH:
        for name, part in parts_of(returned).items():
            yield from _tensors(part, (*path, name))


def _width(tensor: Tensor, images: int) -> int:
    """Numbers for each image; 0 for a tensor that cannot be logits."""
    if (
        not tensor.is_floating_point()
        or tensor.ndim == 0
        or len(tensor) != images
        or any(n != 1 for n in tensor.shape[2:])
    ):
        return 0
    return tensor.shape[1] if tensor.ndim > 1 else 1


def _stands_for(width: int, classes: int) -> bool:
    return width == classes or (width, classes) == (1, 2)


def _called(path: Path) -> str:
    return printable("/".join(f"part {name + 1}" if isinstance(name, int) else str(name) for name in path))


def _shown(returned: object) -> str:
    tensors = [tensor for _, tensor in _tensors(returned)]
    shapes = ", ".join(str(tuple(t.shape)) for t in tensors[:5])
    return f"{type(returned).__name__}" + (f" with shape {shapes}" if tensors else " without tensors")
