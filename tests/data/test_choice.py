import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.choice import USUAL, assemble, choose
from aegis.data.splits import SAID


@pytest.mark.parametrize(
    ("names", "train", "test", "notes"),
    [
        (USUAL, ("x_train", "y_train"), ("x_test", "y_test"), ()),
        ((*USUAL, "train_images", "train_labels"), ("x_train", "y_train"), ("x_test", "y_test"), ()),
        (("X_train", "Y_train"), ("X_train", "Y_train"), None, ()),
        (("xtrain", "ytrain", "xtest", "ytest"), ("xtrain", "ytrain"), ("xtest", "ytest"), ()),
        (("images", "labels", "other"), ("images", "labels"), None, ()),
        (("x_test", "y_test"), ("x_test", "y_test"), None, ()),
        (
            ("train_images", "train_labels", "val_images", "val_labels"),
            ("train_images", "train_labels"),
            ("val_images", "val_labels"),
            ("Images of val are taken for testing.",),
        ),
    ],
)
def test_images_and_labels_are_found_by_usual_names(names, train, test, notes):
    choice = choose(names)
    assert (choice.train, choice.test, choice.notes) == (train, test, notes)


def test_of_three_splits_test_is_taken():
    names = [f"{split}_{kind}" for split in ("train", "val", "test") for kind in ("images", "labels")]
    choice = choose(names)
    assert choice.test == ("test_images", "test_labels")
    assert choice.notes == ("Images of val were left out.",)


@pytest.mark.parametrize(
    "names", [(), ("x_train",), ("a", "b"), ("x_train", "y_test"), ("val_x", "val_y", "test_x", "test_y")]
)
def test_names_that_do_not_fit_together_are_no_choice(names):
    assert choose(names) is None


def test_every_fifth_image_of_a_class_is_held_out_in_the_order_of_the_array():
    labels = np.array([0, 1] * 6)
    arrays = {"x": np.arange(12), "y": labels}
    found = assemble(choose(arrays), arrays.__getitem__)
    assert found.x_test.tolist() == [0, 1, 10, 11]
    assert found.x_train.tolist() == list(range(2, 10))
    assert found.y_test.tolist() == [0, 1, 0, 1]
    assert found.notes == (SAID,)


def test_labels_that_cannot_be_divided_are_refused_by_their_name():
    arrays = {"images": np.zeros((2, 6, 6)), "labels": np.array(["a", "b"])}
    with pytest.raises(DataError, match="labels as integers"):
        assemble(choose(arrays), arrays.__getitem__)
