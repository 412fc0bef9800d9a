import pytest

from aegis.core.errors import CheckpointError
from aegis.models.normalisation import DIVIDED, for_unit_pixels


@pytest.mark.parametrize(
    ("mean", "std", "found"),
    [
        ((0.5,), (0.25,), ((0.5,), (0.25,), ())),
        ((-1.0,), None, ((-1.0,), None, ())),
        (None, (62.5,), (None, (62.5,), ())),
        ((127.5, 51.0), (63.75, 25.5), ((0.5, 0.2), (0.25, 0.1), (DIVIDED,))),
        # Networks from Caffe subtract the mean and divide by nothing.
        ((102.0,), None, ((0.4,), (1 / 255,), (DIVIDED,))),
        ((102.0,), (1.0,), ((0.4,), (1 / 255,), (DIVIDED,))),
    ],
)
def test_what_belongs_to_pixels_from_0_to_255_is_divided_and_said(mean, std, found):
    assert for_unit_pixels(mean, std) == found


def test_a_mean_and_std_of_different_pixels_are_refused():
    with pytest.raises(CheckpointError, match=r"a mean of 123.7 with a std of 0.229"):
        for_unit_pixels((123.7,), (0.229,))
