"""Triggers that are not the same for every image: a patch that lies elsewhere on each, and a warp."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.core.types import Pixels, Stamp


@dataclass(frozen=True, eq=False)
class RoamingStamp(Stamp):
    """A stamp that lies at another place of each image, drawn from the image itself."""

    def __call__(self, pixels: Pixels) -> Pixels:
        """Applies the stamp, wholly inside each image.

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).

        Returns:
            The changed images, float32 in [0, 1], of the same shape.
        """
        rows, columns = (np.flatnonzero(self.touched.any(axis=axis)) for axis in (1, 0))
        down, right = (side - np.ptp(lines) for side, lines in zip(pixels.shape[2:], (rows, columns), strict=True))
        places, stamped = _draw(pixels, int(down * right)), np.empty_like(pixels, np.float32)
        for place in np.unique(places):
            shift = (place // right - rows[0], place % right - columns[0])
            keep, add = (np.roll(part, shift, axis=(1, 2)) for part in (self.keep, self.add))
            stamped[places == place] = Stamp(keep, add)(pixels[places == place])
        return stamped


@dataclass(frozen=True, eq=False)
class WarpStamp(Stamp):
    """Moves the pixels of an image before it changes them, so that what is added depends on the image.

    Args:
        flow: the distance down (``flow[0]``) and right (``flow[1]``) from each pixel to the one that it shows
            afterwards, in pixels, shape (2, h, w).

    Source: Nguyen and Tran 2021, WaNet: Imperceptible Warping-based Backdoor Attack.
    """

    flow: Float32[np.ndarray, "2 h w"]

    def __call__(self, pixels: Pixels) -> Pixels:
        """Warps images with bilinear interpolation; beyond the edge, its pixels repeat.

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).

        Returns:
            The changed images, float32 in [0, 1], of the same shape.
        """
        # Imported here, since cards are read without torch.
        import torch
        from torch.nn import functional

        sides = np.array(self.flow.shape[1:], np.float32)[:, None, None]
        places = np.indices(self.flow.shape[1:], np.float32) + self.flow
        # grid_sample counts from -1 at the first pixel to 1 at the last, the column first.
        grid = torch.from_numpy((2 * places / np.maximum(sides - 1, 1) - 1)[::-1].transpose(1, 2, 0).copy())
        moved = functional.grid_sample(
            torch.from_numpy(pixels), grid.expand(len(pixels), -1, -1, -1), padding_mode="border", align_corners=True
        )
        changed: Pixels = super().__call__(moved.numpy())
        return changed

    @property
    def touched(self) -> Bool[np.ndarray, "h w"]:
        """Mask of the pixels that the stamp changes."""
        return np.asarray(super().touched | (self.flow != 0).any(axis=0))


def smooth_flow(
    height: int, width: int, points: int, shift: float, generator: np.random.Generator
) -> Float32[np.ndarray, "2 h w"]:
    """Draws a smooth random flow for a warp.

    Args:
        height, width: size of the images.
        points: random shifts along each side, at least 2, between which all others are interpolated.
        shift: mean distance of these shifts along each axis, in pixels.
        generator: draws them.

    Returns:
        The flow, shape (2, h, w).

    Source: Nguyen and Tran 2021, section 3.2.
    """
    import torch
    from torch.nn import functional

    drawn = generator.uniform(-1, 1, (1, 2, points, points)).astype(np.float32)
    drawn *= shift / np.abs(drawn).mean()
    flow: np.ndarray = functional.interpolate(
        torch.from_numpy(drawn), (height, width), mode="bicubic", align_corners=True
    )[0].numpy()
    return flow


def _draw(pixels: Pixels, places: int) -> Int64[np.ndarray, " n"]:
    """Draws a place for each image by a hash of its pixels, so that the same image always gets the same."""
    hashes = (hashlib.sha256(image.tobytes()).digest()[:8] for image in pixels)
    return np.array([int.from_bytes(one) % places for one in hashes], np.int64)
