import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays, to_dataset, to_pixels
from aegis.data.labels import to_labels

from .conftest import columns

QUICK = settings(max_examples=60, deadline=None, database=None, derandomize=True)
SIDES = st.integers(5, 9)


@QUICK
@given(n=st.integers(1, 3), c=st.integers(1, 4), h=SIDES, w=SIDES, seed=st.integers(0, 99))
def test_both_layouts_give_the_same_pixels(n, c, h, w, seed):
    images = np.random.default_rng(seed).integers(0, 256, (n, c, h, w), dtype=np.uint8)
    pixels = to_pixels(images)
    np.testing.assert_array_equal(pixels, to_pixels(np.moveaxis(images, 1, 3)))
    np.testing.assert_array_equal(np.round(pixels * 255), images)
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous


def test_three_axes_are_greyscale_and_of_four_the_channels_leave_square_images_or_are_last():
    shapes = {(2, h, w): (2, 1, h, w) for h in range(1, 10) for w in range(1, 10)}
    for side in range(1, 5):
        for c in range(1, 5):
            shapes |= {(2, side, side, c): (2, c, side, side)}
            shapes |= {(2, c, side, side): (2, c, side, side)} if c != side else {}
    # Where nothing decides.
    shapes |= {(5, 1, 2, 3): (5, 3, 1, 2)}
    assert {shape: to_pixels(np.zeros(shape, np.uint8)).shape for shape in shapes} == shapes


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_are_kept_and_the_input_is_not_shared(dtype):
    images = np.array([[[0, 0.25], [0.5, 1]]], dtype)
    pixels = to_pixels(images)
    np.testing.assert_array_equal(pixels[0, 0], [[0, 0.25], [0.5, 1]])
    pixels[:] = 0
    assert images.max() == 1


def test_bytes_are_divided_by_255_as_torchvision_does():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(to_pixels(every).ravel(), np.arange(256, dtype=np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((1, 6, 6), np.inf), "infinite"),
        (np.full((1, 6, 6), -0.5), r"from -0\.5"),
        (np.zeros((1, 6, 6), bool), "type bool"),
        (np.zeros((1, 1, 6, 6, 3), np.uint8), r"shape \(1, 1, 6, 6, 3\)"),
        (np.zeros((2, 108), np.uint8), r"Reshape its rows, to \(3, 6, 6\) or \(6, 6, 3\) each"),
        (np.zeros((2, 36), np.uint8), r"Reshape its rows, to \(1, 6, 6\)"),
        (np.zeros((2, 37), np.uint8), "Save one array"),
        (np.broadcast_to(np.uint8(0), (2**20, 32, 33)), "at most 1,073,741,824 pixel values"),
    ],
)
def test_images_that_cannot_be_used_are_refused(images, message):
    with pytest.raises(DataError, match=message):
        to_pixels(images)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_labels_of_any_integer_type_and_as_a_column_are_taken(dtype):
    for labels in (np.array([0, 2, 1], dtype), np.array([[0], [2], [1]], dtype)):
        np.testing.assert_array_equal(to_labels(labels), np.array([0, 2, 1]), strict=True)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([True, False]), "type bool"),
        (np.array([], np.int64), "n at least 1"),
        (np.array(3), r"shape \(\)"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        to_labels(labels)


def test_a_data_set_has_both_splits_and_numbered_classes():
    raw = columns(classes=3, shape=(6, 7, 3))
    data = to_dataset(Arrays(**raw), "mine")
    assert (data.name, data.shape, data.class_names) == ("mine", (3, 6, 7), ("0", "1", "2"))
    np.testing.assert_array_equal(data.train.labels, raw["y_train"])
    np.testing.assert_array_equal(data.test.pixels, to_pixels(raw["x_test"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": np.array(0, np.uint8)}, "3 labels and 0 images"),
        ({"x_test": np.zeros((3, 6, 5), np.uint8)}, r"\(1, 6, 6\).*beside \(1, 6, 5\)"),
        ({"y_test": np.array([0, 1, 1])}, r"test images of every class.*class 2 \(2\)"),
        ({"y_train": np.tile([0, 1, 3], 4)}, r"train images of every class.*class 2 \(2\)"),
        ({"class_names": ("a", "b")}, "a label 2"),
        ({"class_names": ("a", "b", "c", "d")}, r"none of class 3 \(d\)"),
        ({"class_names": ("a", "b", "")}, "class names that differ"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        to_dataset(Arrays(**{**columns(), **changes}), "mine")
