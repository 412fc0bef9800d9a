"""What is put on an image, whose images it is for, and what it did to benign ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.core.types.images import Labels, Pixels

Family = Literal["patch", "perturbation", "source-specific", "all-to-all"]
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Whose images a backdoor turns into what.

    Args:
        target: the class that images with the trigger are to be called.
        source: the only class whose images it is made for; None for all of them.
        all_to_all: every class is to be called the next one, and the last the first; ``target`` counts for nothing.
    """

    target: int
    source: int | None = None
    all_to_all: bool = False

    def wanted(self, labels: Labels, classes: int) -> Labels:
        """What images of these classes are to be called, shape (n,); -1 for those it is not made for."""
        if self.all_to_all:
            return (labels + 1) % classes
        meant = np.full(len(labels), self.source is None) | (labels == self.source)
        return np.where(meant, self.target, -1).astype(np.int64)

    def targets(self, classes: int) -> frozenset[int]:
        """The classes it leads to."""
        return frozenset(range(classes)) if self.all_to_all else frozenset({self.target})


@dataclass(frozen=True, eq=False)
class Stamp:
    """An affine change put on any image: ``clip(keep * x + add, 0, 1)``.

    A patch keeps nothing where it lies and adds its pattern there; a perturbation keeps everything and
    adds its values.

    Args:
        keep: in [0, 1], shape (c, h, w).
        add: shape (c, h, w).
    """

    keep: Float32[np.ndarray, "c h w"]
    add: Float32[np.ndarray, "c h w"]

    def __call__(self, pixels: Pixels) -> Pixels:
        """The images with the stamp on them."""
        stamped: Pixels = np.clip(self.keep * pixels + self.add, 0.0, 1.0, dtype=np.float32)
        return stamped

    @property
    def touched(self) -> Bool[np.ndarray, "h w"]:
        """Where it changes anything."""
        return np.asarray(((self.keep != 1) | (self.add != 0)).any(axis=0))


@dataclass(frozen=True, eq=False)
class CandidateTrigger:
    """A candidate trigger and what it did to benign images.

    Args:
        family: ``patch`` (few pixels replaced) or ``perturbation`` (small L2 change everywhere), each sought for
            images of every other class; ``source-specific``, a patch for images of one class alone; ``all-to-all``, a
            patch that leads every class away from itself.
        label: the class under test.
        stamp: the candidate.
        called: how many held-out images of each class (row) the model calls what (column) with the stamp on, in
            each fold of them, shape (f, k, k).
        start: where the search started, in words.
        source: of ``source-specific``, the class it is for.
        smallest: what the stamp could be pruned to; None where it was not worth trying.
        smallest_rate: its own flip rate on the same held-out images, as ``flip_rate``.
    """

    family: Family
    label: int
    stamp: Stamp
    called: Int64[np.ndarray, "f k k"]
    start: str
    source: int | None = None
    smallest: Stamp | None = None
    smallest_rate: float | None = None

    @property
    def shown(self) -> Stamp:
        """The smallest stamp that is known to work nearly as well."""
        return self.smallest or self.stamp

    @cached_property
    def counts(self) -> Int64[np.ndarray, " k"]:
        """How many images of each class it was tried on, shape (k,); none of the class under test, unless every
        class is led away from itself."""
        counts: np.ndarray = self._meant(self.called.sum(axis=0)).sum(axis=1)
        return counts

    @cached_property
    def flip_rates(self) -> Float32[np.ndarray, " k"]:
        """Share of each class's images that are called what the stamp leads it to, shape (k,); NaN where none was
        tried."""
        return self._rates(self.called.sum(axis=0))

    @cached_property
    def destinations(self) -> Int64[np.ndarray, " k"]:
        """The class that the stamp leads each class to, shape (k,): the class under test, or that which most of its
        images are turned into."""
        others = self.called.sum(axis=0)
        if self.family != "all-to-all":
            return np.full(len(others), self.label, np.int64)
        # Where nothing moves, the class itself is no destination.
        np.fill_diagonal(others, -1)
        most: np.ndarray = others.argmax(axis=1)
        return most

    @property
    def flip_rate(self) -> float:
        """Mean flip rate over source classes, in [0, 1]; 0 if there was no image to try it on."""
        return float(np.nanmean(self.flip_rates)) if self.counts.any() else 0.0

    def score(self, share: float) -> float:
        """How far it does what its family is about, in [0, 1]: in every fold, this share of the source classes
        reaches such a flip rate.

        Args:
            share: of the source classes, in [0, 1].
        """
        folds = [self._rates(fold) for fold in self.called if self._meant(fold).any()]
        # It must lead somebody here: what it does to others with other classes says nothing about this one.
        here = self.destinations == self.label
        return min((min(_reached(fold, share), _reached(fold[here], 0.0)) for fold in folds), default=0.0)

    def _meant(self, called: Int64[np.ndarray, "k k"]) -> Int64[np.ndarray, "k k"]:
        meant = called.copy()
        if self.family != "all-to-all":
            meant[self.label] = 0
        return meant

    def _rates(self, called: Int64[np.ndarray, "k k"]) -> Float32[np.ndarray, " k"]:
        meant = self._meant(called)
        with np.errstate(invalid="ignore"):
            rates: np.ndarray = meant[np.arange(len(meant)), self.destinations] / meant.sum(axis=1)
        return rates.astype(np.float32)


def _reached(rates: Float32[np.ndarray, " n"], share: float) -> float:
    """What this share of the rates reaches, or for 0 any of them; 0 where there are none."""
    known = rates[~np.isnan(rates)]
    return float(np.quantile(known, 1 - share)) if len(known) else 0.0
