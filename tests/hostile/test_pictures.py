"""Odd pictures that read as what they show."""

import io

import numpy as np
import pytest
from PIL import Image

from aegis.data import load_dataset
from tests.hostile.pictures import encoded, noted, pack, photos, png


def _animated() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("L", (6, 6), colour) for colour in (10, 200, 90)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _transparent() -> bytes:
    picture = Image.new("P", (6, 6), 1)
    picture.putpalette([0, 0, 0, 30, 60, 90])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=1)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded("TIFF", "CMYK", (255, 0, 255, 0)), [0, 255, 0]),
        (encoded("TIFF", "LAB", (255, 128, 128)), [255, 255, 255]),
        (encoded("PNG", "1", 1), [255]),
        (encoded("PNG", "LA", (9, 0)), [9]),
        (encoded("PNG", "RGBA", (1, 2, 3, 0)), [1, 2, 3]),
        (encoded("PNG", "I;16", 7 * 256 + 255), [7]),
        (encoded("TIFF", "I;16B", 7 * 256 + 255), [7]),
        (_transparent(), [30, 60, 90]),
        (_animated(), [10]),
        (png(6, 6, b"\0" + bytes(50 * 2**20)), [0]),
        (noted(b"tEXt", b"Comment\0<script>\x1b[2J"), [7]),
    ],
    ids=["CMYK", "LAB", "bits", "grey, alpha", "alpha", "16", "16, big", "palette", "animated", "more", "notes"],
)
def test_odd_pictures_read_as_what_they_show(content, expected, tmp_path):
    """The first of an animation's pictures, the upper half of sixteen bits, colours without their transparency."""
    path = tmp_path / "photos.zip"
    pack(path, photos(content))
    data = load_dataset(path)
    # The odd one comes last in its class, and two of five are not held out.
    shown = data.train.pixels[-1] * 255
    wanted = np.broadcast_to(np.array(expected).reshape(-1, 1, 1), shown.shape)
    np.testing.assert_allclose(shown, wanted, atol=1)
