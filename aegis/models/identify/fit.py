"""Compares the tensors of a file with those of a proposed architecture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, printable
from aegis.models.architectures import build
from aegis.models.identify.own import Proposal
from aegis.models.identify.views import Shape, Shapes, View, plain_shapes

# Names of tensors that a description lists.
LISTED = 2


@dataclass(frozen=True)
class Candidate:
    """An architecture and how its tensors differ from the file's.

    Args:
        proposal: the architecture with channels, classes and likely image size.
        prefix: what stands before the names in the file.
        tensors: number of tensors that the architecture has, without counters.
        missing: names of its tensors that the file lacks.
        unexpected: names of tensors of the file that it does not have.
        wrong: names of tensors of another shape, with the file's shape and its own.
        beside: number of weights that lie elsewhere in the file.
    """

    proposal: Proposal
    prefix: str
    tensors: int
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong: tuple[tuple[str, Shape, Shape], ...] = ()
    beside: int = 0

    @property
    def architecture(self) -> str:
        """Its name, as in ``architectures.build``."""
        return self.proposal.architecture

    @property
    def fits(self) -> bool:
        """Whether all names and shapes agree."""
        return not self.differing

    @property
    def differing(self) -> int:
        """Number of tensors that differ."""
        return len(self.missing) + len(self.unexpected) + len(self.wrong)

    @property
    def distance(self) -> int:
        """How far it is from the file: a small part of a network may look like all of another one."""
        return 0 if self.fits else self.differing + self.beside

    def __str__(self) -> str:
        """Says in words how it differs."""
        if self.fits:
            return f"all {self.tensors} tensors fit"
        shapes = [f"{name} is {_by(got)} instead of {_by(want)}" for name, got, want in self.wrong]
        parts = [
            _some(self.missing, "missing"),
            _some(self.unexpected, "unexpected"),
            _some(shapes, "of another shape"),
        ]
        return "; ".join(part for part in parts if part)


def compare(proposal: Proposal, view: View, wanted: Shapes | None = None) -> Candidate | None:
    """Compares an architecture's tensors with a part of a file.

    Args:
        proposal: the architecture.
        view: the part of the file.
        wanted: the architecture's shapes by name; None builds it to know them.

    Returns:
        What differs; None if the architecture cannot be built.
    """
    if wanted is None:
        state = outline(proposal)
        if state is None:
            return None
        wanted = plain_shapes(state)
    shapes, small = view.shapes, max(proposal.channels, proposal.classes)
    return Candidate(
        proposal,
        view.prefix,
        len(wanted),
        missing=tuple(name for name in wanted if name not in shapes),
        unexpected=tuple(n for n in shapes if n not in wanted and not _negligible(n, shapes[n], small)),
        wrong=tuple((n, shapes[n], shape) for n, shape in wanted.items() if n in shapes and shapes[n] != shape),
        beside=view.beside,
    )


def outline(proposal: Proposal) -> dict[str, Tensor] | None:
    """Gives the tensors of an architecture, without memory where it can be built so; None if it cannot be built.

    Args:
        proposal: the architecture.
    """
    for device in ("meta", "cpu"):
        try:
            with torch.device(device):
                return build(proposal.architecture, proposal.channels, proposal.classes).state_dict()
        except CheckpointError as error:
            # Some compute with the values of tensors while they are built.
            if not isinstance(error.__cause__, NotImplementedError):
                return None
    return None


def _negligible(name: str, shape: Shape, small: int) -> bool:
    """Whether a tensor is a counter or a weight of a loss, which loading leaves out."""
    return "." not in name and len(shape) <= 1 and math.prod(shape) <= small


def _some(names: tuple[str, ...] | list[str], what: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - LISTED} more" if names[LISTED:] else ""
    return f"{count_of(len(names), 'tensor')} {what} ({', '.join(printable(n) for n in names[:LISTED])}{more})"


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "one number"
