import pickle

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import load_dataset
from aegis.data.reader import Reader, load_as_recorded


def test_a_reader_is_the_same_in_another_process_whoever_is_told(folder):
    told = []
    reader = Reader(8, 3, told.append)
    again = pickle.loads(pickle.dumps(reader))  # noqa: S301 - our own
    assert reader == again == Reader(8, 3)
    assert hash(reader) == hash(again)
    assert reader(str(folder)).digest == load_dataset(folder, size=8, channels=3).digest
    assert len(told) == 1


@pytest.mark.parametrize("options", [{}, {"size": 8}, {"channels": 3}, {"size": 8, "channels": 3}])
def test_images_of_a_record_are_read_as_they_were_read_for_it(folder, options):
    data = load_dataset(folder, **options)
    assert load_as_recorded(str(folder), data.digest, data.shape).digest == data.digest


def test_pictures_of_several_sizes_are_read_again_and_a_changed_source_is_another(folder, draw):
    draw("cat/05.png", 50, size=(30, 10), mode="L")
    data = load_dataset(folder, size=6)
    assert load_as_recorded(str(folder), data.digest, data.shape).digest == data.digest
    draw("cat/06.png", 99, mode="L")
    assert load_as_recorded(str(folder), data.digest, data.shape).digest != data.digest
    with pytest.raises(DataError, match="one size"):
        load_as_recorded(str(folder), data.digest, (1, 6, 9))


def test_a_source_that_cannot_be_converted_is_given_as_it_is(save):
    path = save(x_train=np.zeros((12, 6, 6, 2), np.uint8), x_test=np.zeros((3, 6, 6, 2), np.uint8))
    assert load_as_recorded(str(path), "another", (3, 6, 6)).shape == (2, 6, 6)
