"""The contracts between the steps: frozen, shape-annotated, numpy only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.errors import ConfigError, DataError

Pixels = Float32[np.ndarray, "n c h w"]
Labels = Int64[np.ndarray, " n"]
Family = Literal["patch", "perturbation", "one source", "all to all"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Norm = Literal["l2", "linf"]
VerdictName = Literal["infected", "clean", "inconclusive"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with the class of each.

    Args:
        pixels: float32 in [0, 1], shape (n, c, h, w).
        labels: int64 in [0, len(class_names)), shape (n,).
        class_names: one name per class, in label order.

    Raises:
        DataError: if shapes, types or ranges are not as above.
    """

    pixels: Pixels
    labels: Labels
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.dtype != np.float32:
            raise DataError(
                "float32 images of shape (n, c, h, w)",
                f"{self.pixels.dtype} of shape {self.pixels.shape}",
                "Convert the images first.",
            )
        if self.labels.shape != (len(self.pixels),):
            raise DataError(
                f"one label for each of the {len(self.pixels)} images",
                f"labels of shape {self.labels.shape}",
                "Make the two arrays the same length.",
            )
        if len(self.pixels) and not (0.0 <= self.pixels.min() and self.pixels.max() <= 1.0):
            raise DataError(
                "pixels between 0 and 1",
                f"pixels from {self.pixels.min():g} to {self.pixels.max():g}",
                "Scale the images to [0, 1] and replace values that are not finite.",
            )
        if len(self.labels) and not (0 <= self.labels.min() and self.labels.max() < len(self.class_names)):
            raise DataError(
                f"labels from 0 to {len(self.class_names) - 1}",
                f"labels from {self.labels.min()} to {self.labels.max()}",
                "Give a name to every class or correct the labels.",
            )

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        _, c, h, w = self.pixels.shape
        return c, h, w

    def take(self, indices: Int64[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> LabelledImages:
        """The images at the given positions, or where a mask is true."""
        return LabelledImages(self.pixels[indices], self.labels[indices], self.class_names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of pixels, labels and class names, in hex."""
        return digest_of(self.pixels, self.labels, np.array("\n".join(self.class_names)))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set with its training and its test split.

    Args:
        name: how it was asked for.
        train: what seeds and training features are drawn from.
        test: held out; what accuracy and flip rates are measured on.

    Raises:
        DataError: if the splits disagree on image shape or classes.
    """

    name: str
    train: LabelledImages
    test: LabelledImages

    def __post_init__(self) -> None:
        train, test = (self.train.shape, self.train.class_names), (self.test.shape, self.test.class_names)
        if train != test:
            raise DataError(
                "training and test images of one shape and with the same classes",
                f"{train[0]} with {len(train[1])} classes beside {test[0]} with {len(test[1])}",
                "Prepare both splits in the same way.",
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per class, in label order."""
        return self.train.class_names

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.train.shape

    @cached_property
    def digest(self) -> str:
        """SHA-256 over both splits, in hex; the name plays no part."""
        return hashlib.sha256(f"{self.train.digest} {self.test.digest}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some iterations at one budget.

    Args:
        epsilon: radius of the ball around the original image, above 0.
        step: length of one step, above 0.
        iterations: how many steps, at least 1.

    Raises:
        ConfigError: for a value out of range.
    """

    epsilon: float
    step: float
    iterations: int

    def __post_init__(self) -> None:
        for name in ("epsilon", "step", "iterations"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} above 0", str(getattr(self, name)), f"Give a positive {name}.")


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
class Transplant:
    """A candidate trigger and what it did to honest images.

    Args:
        family: ``patch`` (few pixels replaced) or ``perturbation`` (small L2 change everywhere), each sought for
            images of every other class; ``one source``, a patch for images of one class alone; ``all to all``, a
            patch that leads every class away from itself.
        label: the class under test.
        stamp: the candidate.
        called: how many held-out images of each class (row) the model calls what (column) with the stamp on, in
            each fold of them, shape (f, k, k).
        start: where the search started, in words.
        source: of ``one source``, the class it is for.
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
        if self.family != "all to all":
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
        if self.family != "all to all":
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


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the model shows about one class (Algorithm 1, steps 1 and 2, and the transplants).

    Args:
        label: the class under test.
        budgets: the L2 radii of the snapshots, growing, length b.
        seed_index: positions of the seeds in the training split, shape (n,).
        train_index: positions of the class's own images in the training split, shape (m,).
        translated: the translated images as 8-bit pictures, shape (b, n, c, h, w).
        features: of the class's training images, then of the translated ones, reduced by PCA,
            shape (b, m + n, d) with d at most 150.
        success: share of the translated images that the model calls the class, shape (b,).
        transplants: candidate triggers, the best of each family first.
    """

    label: int
    budgets: tuple[float, ...]
    seed_index: Int64[np.ndarray, " n"]
    train_index: Int64[np.ndarray, " m"]
    translated: UInt8[np.ndarray, "b n c h w"]
    features: Float32[np.ndarray, "b p d"]
    success: Float32[np.ndarray, " b"]
    transplants: tuple[Transplant, ...]

    @property
    def is_translated(self) -> Bool[np.ndarray, " p"]:
        """For each row of the features, whether it belongs to a translated image."""
        return np.arange(self.features.shape[1]) >= len(self.train_index)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Features of one class at one budget in the plane (Algorithm 1, step 3).

    Args:
        points: shape (p, 2).
        is_translated: which points are translated images, shape (p,).
        budget: the L2 radius of the translation.
    """

    points: Float32[np.ndarray, "p 2"]
    is_translated: Bool[np.ndarray, " p"]
    budget: float


@dataclass(frozen=True, eq=False)
class Clusters:
    """Mean-shift clusters of an embedding (Algorithm 1, step 4).

    Args:
        assignment: cluster of each point, 0 for the largest, shape (p,); -1 for points left out.
        bandwidth: radius of the flat kernel.
    """

    assignment: Int64[np.ndarray, " p"]
    bandwidth: float

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.assignment.max()) + 1


@dataclass(frozen=True, eq=False)
class Finding:
    """One class, judged without the model.

    Args:
        evidence: what the model showed.
        embeddings: one per budget.
        clusters: of training and translated images together, one per budget.
        translated_clusters: of the translated images alone (Fig. 16), one per budget.
    """

    evidence: Evidence
    embeddings: tuple[Embedding, ...]
    clusters: tuple[Clusters, ...]
    translated_clusters: tuple[Clusters, ...]

    @property
    def label(self) -> int:
        """The class."""
        return self.evidence.label


@dataclass(frozen=True, eq=False)
class Applicability:
    """How good and how robust a model is on these images.

    Args:
        accuracy: share of the test images classified as labelled, in [0, 1].
        epsilons: the ladder of L2 radii, growing.
        robust_accuracies: accuracy under untargeted L2 PGD at each radius, in [0, 1].
        called: how many images of each class (row) the model calls what (column) under attack at each radius,
            shape (r, k, k); None if that is not known.
        universal_radii: the L2 norm at which one perturbation for all makes half of the other images each class,
            length k; empty if that is not known.
        universal_areas: the same of a patch, as the share of the pixels that it replaces.
    """

    accuracy: float
    epsilons: tuple[float, ...]
    robust_accuracies: tuple[float, ...]
    called: Int64[np.ndarray, "r k k"] | None = None
    universal_radii: tuple[float, ...] = ()
    universal_areas: tuple[float, ...] = ()

    @property
    def half_radius(self) -> float:
        """The L2 radius at which accuracy falls to half, interpolated; the last rung if it never does."""
        half = self.accuracy / 2
        radii, values = (0.0, *self.epsilons), (self.accuracy, *self.robust_accuracies)
        for (r0, a0), (r1, a1) in zip(zip(radii, values), zip(radii[1:], values[1:])):
            if a1 <= half:
                return r0 + (r1 - r0) * (a0 - half) / max(a0 - a1, 1e-12)
        return radii[-1]

    def leaving_out(self, label: int) -> Applicability:
        """The same without attacks that ended in this class, since a backdoor is a weakness of its own."""
        if self.called is None:
            return self
        kept = self.called.copy()
        right = kept.diagonal(axis1=1, axis2=2).sum(axis=1)
        kept[:, np.arange(kept.shape[1]) != label, label] = 0
        accuracies = right / np.maximum(kept.sum(axis=(1, 2)), 1)
        return Applicability(self.accuracy, self.epsilons, tuple(accuracies.tolist()), kept)

    @property
    def spared_radii(self) -> tuple[float, ...]:
        """The half radius without attacks that ended in each class, by class; empty if that is not known."""
        classes = range(0 if self.called is None else self.called.shape[1])
        return tuple(self.leaving_out(label).half_radius for label in classes)


def digest_of(*arrays: np.ndarray) -> str:
    """SHA-256 over types, shapes and values of arrays, in hex."""
    sha = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        sha.update(f"{array.dtype}{array.shape}".encode())
        sha.update(array.view(np.uint8).reshape(-1).data if array.dtype.kind != "U" else str(array).encode())
    return sha.hexdigest()
