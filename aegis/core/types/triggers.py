"""Triggers: the change they make to an image, the images they are made for, and their success on benign images."""

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
    """Says which images a backdoor leads to which class.

    Args:
        target: the class that images with the trigger are to be predicted as.
        source: the only class whose images the trigger is made for; None for every class.
        all_to_all: every class is led to the next one, and the last to the first; ``target`` is then ignored.
    """

    target: int
    source: int | None = None
    all_to_all: bool = False

    def wanted(self, labels: Labels, classes: int) -> Labels:
        """Gives the class that each image is to be predicted as with the trigger.

        Args:
            labels: true classes, shape (n,).
            classes: number of classes, k.

        Returns:
            Target classes, shape (n,); -1 for images that the trigger is not made for.
        """
        if self.all_to_all:
            return (labels + 1) % classes
        meant = np.full(len(labels), self.source is None) | (labels == self.source)
        return np.where(meant, self.target, -1).astype(np.int64)

    def targets(self, classes: int) -> frozenset[int]:
        """Gives the classes that the backdoor leads to.

        Args:
            classes: number of classes, k.

        Returns:
            The target alone, or every class if the backdoor is all-to-all.
        """
        return frozenset(range(classes)) if self.all_to_all else frozenset({self.target})


@dataclass(frozen=True, eq=False)
class Stamp:
    """Changes any image by ``clip(keep * x + add, 0, 1)``.

    For a patch, ``keep`` is 0 where it lies and ``add`` holds its pattern; for a perturbation, ``keep`` is 1
    everywhere.

    Args:
        keep: factor of each pixel value, in [0, 1], shape (c, h, w).
        add: summand of each pixel value, in [-1, 1], shape (c, h, w).
    """

    keep: Float32[np.ndarray, "c h w"]
    add: Float32[np.ndarray, "c h w"]

    def __call__(self, pixels: Pixels) -> Pixels:
        """Applies the stamp to images.

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).

        Returns:
            The changed images, float32 in [0, 1], of the same shape.
        """
        stamped: Pixels = np.clip(self.keep * pixels + self.add, 0.0, 1.0, dtype=np.float32)
        return stamped

    @property
    def touched(self) -> Bool[np.ndarray, "h w"]:
        """Mask of the pixels that the stamp changes."""
        return np.asarray(((self.keep != 1) | (self.add != 0)).any(axis=0))


@dataclass(frozen=True, eq=False)
class CandidateTrigger:
    """A trigger found by trigger inversion, with its success on held-out benign images.

    Args:
        family: ``patch`` (few pixels replaced) or ``perturbation`` (small L2 change everywhere), each made for images
            of every other class; ``source-specific``, a patch made for images of one class; ``all-to-all``, a patch
            that leads every class away from itself.
        label: the class under test.
        stamp: the change that the trigger makes.
        confusion: confusion matrix per fold of the held-out images: ``confusion[f, i, j]`` images of class i are
            predicted as j with the trigger applied, shape (f, k, k).
        start: where the search started, in words.
        source: the class that a ``source-specific`` trigger is made for, else None.
        smallest: the smallest part of the stamp that keeps most of its success; None where the stamp works too badly to
            be minimised.
        smallest_rate: ``flip_rate`` of the smallest part on the same held-out images.
    """

    family: Family
    label: int
    stamp: Stamp
    confusion: Int64[np.ndarray, "f k k"]
    start: str
    source: int | None = None
    smallest: Stamp | None = None
    smallest_rate: float | None = None

    @property
    def shown(self) -> Stamp:
        """The smallest stamp known to work nearly as well."""
        return self.smallest or self.stamp

    @cached_property
    def counts(self) -> Int64[np.ndarray, " k"]:
        """Number of held-out images of each source class that the trigger was applied to, shape (k,).

        Images of the class under test do not count, except for an all-to-all trigger.
        """
        counts: np.ndarray = self._meant(self.confusion.sum(axis=0)).sum(axis=1)
        return counts

    @cached_property
    def flip_rates(self) -> Float32[np.ndarray, " k"]:
        """Attack success rate on each source class, in [0, 1], shape (k,); NaN for classes without held-out images."""
        return self._rates(self.confusion.sum(axis=0))

    @cached_property
    def destinations(self) -> Int64[np.ndarray, " k"]:
        """Class that the trigger leads each class to, shape (k,).

        This is the class under test; for an all-to-all trigger, the class that most images are turned into.
        """
        others = self.confusion.sum(axis=0)
        if self.family != "all-to-all":
            return np.full(len(others), self.label, np.int64)
        # Images that keep their class say nothing about where the trigger leads, so the diagonal cannot win.
        np.fill_diagonal(others, -1)
        most: np.ndarray = others.argmax(axis=1)
        return most

    @property
    def flip_rate(self) -> float:
        """Mean attack success rate over source classes, in [0, 1]; 0 without held-out images."""
        return float(np.nanmean(self.flip_rates)) if self.counts.any() else 0.0

    def score(self, share: float) -> float:
        """Computes the attack success rate that a share of the source classes reaches in every fold.

        Args:
            share: share of the source classes, in [0, 1].

        Returns:
            The score, in [0, 1]; 0 without held-out images.
        """
        folds = [self._rates(fold) for fold in self.confusion if self._meant(fold).any()]
        # At least one class must be led to the class under test; success elsewhere is no evidence against this class.
        here = self.destinations == self.label
        return min((min(_reached(fold, share), _reached(fold[here], 0.0)) for fold in folds), default=0.0)

    def _meant(self, confusion: Int64[np.ndarray, "k k"]) -> Int64[np.ndarray, "k k"]:
        meant = confusion.copy()
        if self.family != "all-to-all":
            meant[self.label] = 0
        return meant

    def _rates(self, confusion: Int64[np.ndarray, "k k"]) -> Float32[np.ndarray, " k"]:
        meant = self._meant(confusion)
        with np.errstate(invalid="ignore"):
            rates: np.ndarray = meant[np.arange(len(meant)), self.destinations] / meant.sum(axis=1)
        return rates.astype(np.float32)


def _reached(rates: Float32[np.ndarray, " n"], share: float) -> float:
    """Computes the attack success rate that this share of the classes reaches (the highest for 0); 0 without any."""
    known = rates[~np.isnan(rates)]
    return float(np.quantile(known, 1 - share)) if len(known) else 0.0
