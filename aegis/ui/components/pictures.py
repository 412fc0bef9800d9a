"""Pictures for pages: montages as in the paper's Fig. 7, differences, heat maps, triggers; no Streamlit here."""

from __future__ import annotations

import base64
import io

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from aegis.core.types import CandidateTrigger, LabelledImages, as_8_bit
from aegis.records.pictures import as_rgb
from aegis.ui.components.palette import Palette, rgb

Picture = UInt8[np.ndarray, "h w 3"]
Sheet = UInt8[np.ndarray, "height width 3"]
Pictures = UInt8[np.ndarray, "n h w 3"]
# One page of a montage: as many as are seen at once without becoming stamps.
COLUMNS, PAGE = 8, 48
# Small images are enlarged by whole pixels to about this side, large ones reduced to it.
SIDE = 64
GAP = 3
# Background of a patch.
EMPTY = 0.5


def differences(changes: Float32[np.ndarray, "n c h w"], scale: float, palette: Palette) -> Pictures:
    """Draws changes in diverging colours, averaged over channels.

    Args:
        changes: translated minus seed.
        scale: the change, above 0, that has the full colour of its end.
        palette: ``more`` where pixels became brighter and ``less`` where they became darker.

    Returns:
        Pictures, with the page's background where nothing changed.
    """
    share = np.clip(changes.mean(axis=1) / scale, -1, 1)[..., None]
    ends = np.where(share > 0, rgb(palette.more), rgb(palette.less))
    return _mix(np.array(rgb(palette.background)), ends, np.abs(share))


def heat(where: Float32[np.ndarray, "h w"], palette: Palette) -> Picture:
    """Draws how much each pixel changed, from the page's background to full colour at the largest change.

    Args:
        where: mean absolute changes.
        palette: colours.
    """
    share = where / max(float(where.max()), 1e-6)
    return _mix(np.array(rgb(palette.background)), np.array(rgb(palette.more)), share[..., None])


def scale_of(changes: Float32[np.ndarray, "n c h w"]) -> float:
    """Chooses the change at which diverging colours end, so that nearly all changes stay below it.

    Args:
        changes: translated minus seed.

    Returns:
        The change, above 0.
    """
    return max(float(np.quantile(np.abs(changes.mean(axis=1)), 0.99)), 1e-3) if len(changes) else 1.0


def montage(pictures: Pictures, palette: Palette, columns: int = COLUMNS) -> Sheet:
    """Puts pictures side by side in rows.

    Args:
        pictures: of one size.
        palette: for the background.
        columns: pictures in a row.
    """
    tiles = [enlarge(picture) for picture in pictures]
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.empty((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), np.uint8)
    sheet[:] = rgb(palette.background)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def enlarge(picture: Picture, side: int = SIDE) -> Sheet:
    """Scales a picture to about a side: a small one by whole pixels, a large one down.

    Args:
        picture: the picture.
        side: in pixels.
    """
    return grow(shrunk(picture, side), side)


def shrunk(picture: Picture, side: int) -> Sheet:
    """Scales a large picture down to a side; one that is not much larger stays as it is.

    Args:
        picture: the picture.
        side: in pixels.
    """
    if max(picture.shape[:2]) <= 1.5 * side:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(image)


def grow(picture: Picture, side: int) -> Sheet:
    """Enlarges a small picture by whole pixels to about a side; a large one stays as it is.

    Args:
        picture: the picture.
        side: in pixels.
    """
    times = max(1, round(side / max(picture.shape[:2])))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def png(picture: Picture) -> bytes:
    """Encodes a picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _mix(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = (start + (end - start) * share).round().astype(np.uint8)
    return mixed


def as_picture(image: Float32[np.ndarray, "c h w"], side: int = 112) -> Sheet:
    """Converts an image to 8-bit colours and enlarges it by whole pixels to about a side.

    Args:
        image: in [0, 1].
        side: in pixels.
    """
    return grow(as_rgb(as_8_bit(image)), side)


def address(picture: Sheet) -> str:
    """Encodes a picture as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"


def photograph(picture: Sheet) -> str:
    """Encodes many small pictures as a data URL of a few hundred kilobytes, at the loss of what nobody sees."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=88, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def strip(frames: Float32[np.ndarray, "n c h w"], side: int = 56) -> Sheet:
    """Puts images side by side with a gap between them.

    Args:
        frames: in [0, 1].
        side: of each, in pixels.
    """
    cells = [as_picture(frame, side) for frame in frames]
    height = cells[0].shape[0]
    gap = np.full((height, 4, 3), 128, np.uint8)
    row = [part for cell in cells for part in (cell, gap)][:-1]
    return np.concatenate(row, axis=1)


def trigger_picture(candidate: CandidateTrigger) -> Float32[np.ndarray, "c h w"]:
    """Draws a trigger alone: a patch on grey, or a perturbation around grey scaled to full strength.

    Returns:
        An image in [0, 1].
    """
    stamp = candidate.shown
    if candidate.family != "perturbation":
        alone: np.ndarray = stamp.add + EMPTY * stamp.keep
        return alone
    largest = max(float(np.abs(stamp.add).max()), 1e-6)
    return np.asarray(EMPTY + stamp.add / (2 * largest), np.float32)


def benign_image(
    images: LabelledImages, candidate: CandidateTrigger
) -> tuple[Float32[np.ndarray, "c h w"], int] | None:
    """Finds a held-out image of the class on which the trigger works best.

    Returns:
        The image and its label; None if there is none.
    """
    for label in np.argsort(-np.nan_to_num(candidate.flip_rates, nan=-1)).tolist():
        found = np.flatnonzero(images.labels == label)
        if len(found) and not np.isnan(candidate.flip_rates[label]):
            return images.pixels[found[0]], int(label)
    return None
