import numpy as np
import pytest
from PIL import Image, ImageOps

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays, to_dataset
from aegis.data.conversion import converted

from .conftest import columns


def dataset(*shape):
    return to_dataset(Arrays(**columns(shape=shape)), "mine")


def test_nothing_changes_where_nothing_has_to():
    data = dataset(6, 6)
    assert converted(data) is converted(data, size=6) is converted(data, channels=1) is data


def test_grey_becomes_three_equal_channels_and_comes_back_to_the_last_bit():
    data = dataset(6, 7)
    colour = converted(data, channels=3)
    assert colour.shape == (3, 6, 7)
    for channel in range(3):
        np.testing.assert_array_equal(colour.train.pixels[:, channel], data.train.pixels[:, 0])
    assert converted(colour, channels=1).digest == data.digest


def test_colours_become_as_grey_as_pillow_makes_them_and_transparency_is_left_out():
    data = dataset(6, 6, 3)
    grey = converted(data, channels=1).test.pixels[:, 0] * 255
    raw = columns(shape=(6, 6, 3))["x_test"]
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in raw])
    np.testing.assert_allclose(grey, expected, atol=0.51)
    four = dataset(6, 6, 4)
    np.testing.assert_array_equal(converted(four, channels=3).test.pixels, four.test.pixels[:, :3])


@pytest.mark.parametrize("size", [4, 9])
def test_images_are_scaled_and_cropped_as_pictures_are(size):
    data = dataset(6, 8)
    found = converted(data, size=size).test.pixels[:, 0] * 255
    raw = columns(shape=(6, 8))["x_test"]
    fitted = [ImageOps.fit(Image.fromarray(image), (size, size), Image.Resampling.BILINEAR) for image in raw]
    # Pillow rounds twice on the way, and floats are not rounded.
    np.testing.assert_allclose(found, np.stack([np.asarray(image) for image in fitted]), atol=1.01)
    white = to_dataset(Arrays(**{**columns(), "x_train": np.full((12, 6, 6), 255, np.uint8)}), "white")
    assert converted(white, size=size).train.pixels.min() == 1


def test_other_sizes_and_channels_are_refused():
    for options, got in (({"size": 0}, "got 0"), ({"size": 2000}, "1024"), ({"channels": 2}, "grey.*got 2")):
        with pytest.raises(DataError, match=got):
            converted(dataset(6, 6), **options)
    with pytest.raises(DataError, match="2 channels"):
        converted(dataset(6, 6, 2), channels=3)
