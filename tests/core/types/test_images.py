import dataclasses

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.types import Dataset, LabelledImages, as_8_bit, as_pixels, digest_of

NAMES = ("cat", "dog")


def images(n=4, shape=(1, 3, 3), seed=0, names=NAMES):
    pixels = np.random.default_rng(seed).random((n, *shape), dtype=np.float32)
    return LabelledImages(pixels, np.arange(n) % len(names), names)


@pytest.mark.parametrize("value", [-0.01, 1.01, np.nan, np.inf])
def test_pixels_outside_their_range_are_refused(value):
    pixels = images().pixels
    pixels[1, 0, 2, 2] = value
    with pytest.raises(DataError, match="pixels between 0 and 1"):
        LabelledImages(pixels, np.zeros(4, np.int64), NAMES)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_name_for_every_label_and_a_label_for_every_image_are_asked_for(label):
    with pytest.raises(DataError, match="labels from 0 to 1"):
        LabelledImages(images().pixels, np.array([0, 1, label, 0]), NAMES)
    # In another shape the checker of annotations would object first, so the method is called on its own.
    wrong = object.__new__(LabelledImages)
    for name, value in (("pixels", images().pixels), ("labels", np.zeros(3, np.int64)), ("class_names", NAMES)):
        object.__setattr__(wrong, name, value)
    with pytest.raises(DataError, match="one label for each of the 4 images"):
        wrong.__post_init__()
    object.__setattr__(wrong, "pixels", np.zeros((4, 3, 3), np.float64))
    with pytest.raises(DataError, match=r"float32 images of shape \(n, c, h, w\); got float64 of shape \(4, 3, 3\)"):
        wrong.__post_init__()


def test_images_are_taken_by_position_and_by_mask():
    some = images()
    by_position, by_mask = some.take(np.array([3, 0])), some.take(some.labels == 1)
    assert by_position.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(by_position.pixels, some.pixels[[3, 0]])
    assert by_mask.labels.tolist() == [1, 1]
    assert len(by_mask) == 2
    assert by_mask.class_names == NAMES
    assert len(some.take(np.array([], np.int64))) == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        some.pixels = None


def test_a_digest_changes_with_pixels_labels_order_and_names():
    some = images()
    digests = {
        some.digest,
        some.take(np.array([1, 0, 2, 3])).digest,
        LabelledImages(some.pixels, 1 - some.labels, NAMES).digest,
        LabelledImages(some.pixels, some.labels, ("cat", "cow")).digest,
        LabelledImages(np.nextafter(some.pixels, np.float32(0)), some.labels, NAMES).digest,
        LabelledImages(some.pixels.reshape(4, 1, 1, 9), some.labels, NAMES).digest,
    }
    assert len(digests) == 6
    assert images().digest == some.digest
    assert len(some.digest) == 64

    # The name of a data set is no part of its digest, and its splits are.
    a, b = images(), images(seed=1)
    assert Dataset("one", a, b).digest == Dataset("two", a, b).digest != Dataset("one", b, a).digest
    # An array's digest knows its type and shape but not its layout.
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest_of(array) == digest_of(np.asfortranarray(array))
    assert len({digest_of(a) for a in (array, array.T, array.ravel(), array.view(np.int32), array + 1)}) == 5


@pytest.mark.parametrize("test", [images(shape=(1, 3, 4)), images(names=("cat", "cow"))], ids=["shape", "names"])
def test_splits_that_disagree_are_refused(test):
    with pytest.raises(DataError, match="one shape and with the same classes"):
        Dataset("mixed", images(), test)


def test_every_picture_comes_back_as_it_was():
    pictures = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    pixels = as_pixels(pictures)
    assert (as_8_bit(pixels) == pictures).all()
    assert pixels.dtype == np.float32
    assert (pixels.min(), pixels.max()) == (0, 1)
    np.testing.assert_array_equal(pixels, pictures.astype(np.float32) / np.float32(255))

    # Between two levels a pixel is rounded, and beyond the range it is clipped.
    pixels = np.random.default_rng(0).random((3, 2, 5, 5), np.float32)
    assert np.abs(as_pixels(as_8_bit(pixels)) - pixels).max() <= 0.5 / 255 + 1e-6
    pixels = np.array([-0.1, 0, 0.5, 1, 1.2], np.float32).reshape(1, 1, 5)
    assert as_8_bit(pixels).ravel().tolist() == [0, 0, 128, 255, 255]
