import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.labels import counted_from_1, is_one_hot, to_labels


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_one_hot_rows_become_numbers(dtype):
    np.testing.assert_array_equal(to_labels(np.eye(4, dtype=dtype)[[2, 0, 3]]), np.array([2, 0, 3]), strict=True)


def test_whole_floats_are_taken():
    np.testing.assert_array_equal(to_labels(np.array([1.0, 0, 2], "f4")), np.array([1, 0, 2]), strict=True)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([[0, 1, 1], [1, 0, 0]]), "one-hot; got shape .2, 3., with other rows"),
        (np.array([[0.2, 0.8], [0.9, 0.1]]), "one-hot"),
        (np.array([0.5, 1]), "type float64 with fractions"),
        (np.array([np.nan, 1]), "not finite"),
        (np.array([np.inf, 1]), "not finite"),
        (np.array([1e300, 1]), "labels from 1.0 to 1e.300"),
        (np.array(["a", "b"]), "type <U1"),
    ],
)
def test_other_labels_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        to_labels(labels)


def test_labels_are_counted_from_1_only_if_none_is_missing():
    for labels, expected in (([1, 2, 3, 3], True), ([0, 1, 2], False), ([1, 3], False), ([2, 3], False)):
        assert counted_from_1(np.array(labels)) == expected


def test_a_column_of_labels_is_not_one_hot():
    assert not is_one_hot(np.ones((3, 1), int))
    assert not is_one_hot(np.array(["a"]))
