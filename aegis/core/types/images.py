"""Labelled images, and data sets of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.core.errors import DataError

Pixels = Float32[np.ndarray, "n c h w"]
Labels = Int64[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Holds images and the class of each.

    Args:
        pixels: float32 in [0, 1], shape (n, c, h, w).
        labels: int64 in [0, len(class_names)), shape (n,).
        class_names: one name for each class, in label order.

    Raises:
        DataError: if shapes, types or ranges differ from these.
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
        """Selects images by position or by mask.

        Args:
            indices: positions, shape (m,), or a mask, shape (n,).

        Returns:
            The selected images with the same class names.
        """
        return LabelledImages(self.pixels[indices], self.labels[indices], self.class_names)

    def spread(self, count: int) -> LabelledImages:
        """Selects at most ``count`` images at even distances, in their order.

        Args:
            count: the most images, at least 1.
        """
        chosen = np.linspace(0, len(self) - 1, min(count, len(self)))
        return self.take(np.unique(chosen.astype(np.int64)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of pixels, labels and class names, in hex."""
        return digest_of(self.pixels, self.labels, np.array("\n".join(self.class_names)))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Holds the training and test split of a data set.

    Args:
        name: the name or path under which the data set was requested.
        train: images from which seeds and training features are drawn.
        test: held-out images, on which accuracy and attack success rates are measured.

    Raises:
        DataError: if the splits differ in image shape or classes.
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
        """One name for each class, in label order."""
        return self.train.class_names

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.train.shape

    @cached_property
    def digest(self) -> str:
        """SHA-256 of both splits, in hex; the name does not change it."""
        return hashlib.sha256(f"{self.train.digest} {self.test.digest}".encode()).hexdigest()


def digest_of(*arrays: np.ndarray) -> str:
    """Computes the SHA-256 of types, shapes and values of arrays.

    Args:
        arrays: numeric arrays, or arrays of text.

    Returns:
        64 hexadecimal digits.
    """
    sha = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        sha.update(f"{array.dtype}{array.shape}".encode())
        sha.update(array.view(np.uint8).reshape(-1).data if array.dtype.kind != "U" else str(array).encode())
    return sha.hexdigest()


def as_pixels(pictures: UInt8[np.ndarray, "*b c h w"]) -> Float32[np.ndarray, "*b c h w"]:
    """Converts 8-bit pictures to float32 pixels in [0, 1].

    Args:
        pictures: any number of them.
    """
    pixels = np.array(pictures, np.float32, order="C")
    # In place, since a data set may fill much of the memory.
    pixels /= np.float32(255)
    return pixels


def as_8_bit(pixels: Float32[np.ndarray, "*b c h w"]) -> UInt8[np.ndarray, "*b c h w"]:
    """Converts pixels in [0, 1] to 8-bit pictures; values beyond are clipped.

    Args:
        pixels: any number of images.
    """
    pictures: np.ndarray = (pixels * 255).round().clip(0, 255).astype(np.uint8)
    return pictures
