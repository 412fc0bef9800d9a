import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.mismatch import check_fit

WANTED = {
    "stem.weight": torch.zeros(8, 3, 3, 3),
    "norm.num_batches_tracked": torch.tensor(0),
    "middle.weight": torch.zeros(8, 8, 3, 3),
    "head.weight": torch.zeros(10, 8),
    "head.bias": torch.zeros(10),
}


def got(**changes):
    found = {name: tensor for name, tensor in (WANTED | changes).items() if tensor is not None}
    with pytest.raises(CheckpointError) as caught:
        check_fit(WANTED, found, channels=3, classes=10)
    return caught.value.got


def test_what_fits_passes_with_or_without_counters():
    check_fit(WANTED, WANTED, 3, 10)
    check_fit(WANTED, {k: v for k, v in WANTED.items() if "tracked" not in k}, 3, 10)


def test_the_likeliest_reason_is_given():
    head = {"head.weight": torch.zeros(7, 8), "head.bias": torch.zeros(7)}
    stem = {"stem.weight": torch.zeros(8, 1, 3, 3)}
    assert got(**head) == "a final layer for 7 classes"
    assert got(**stem) == "a first layer for 1 channel"
    assert got(**head, **stem) == "a final layer for 7 classes and a first layer for 1 channel"


def test_other_differences_are_listed():
    wide = {"middle.weight": torch.zeros(16, 8, 3, 3), "head.bias": torch.zeros(7)}
    assert got(**wide) == "middle.weight is (16, 8, 3, 3) instead of (8, 8, 3, 3), head.bias is (7,) instead of (10,)"
    assert got(**{"head.bias": torch.tensor(0.0)}) == "head.bias is () instead of (10,)"


def test_names_are_listed_and_counted():
    extra = {f"extra{i}": torch.zeros(1) for i in range(5)}
    assert got(**extra, **{"head.bias": None}) == (
        "1 missing (head.bias); 5 unexpected (extra0, extra1, extra2 and 2 more)"
    )


def test_kinds_of_numbers_must_agree():
    assert got(**{"middle.weight": torch.zeros(8, 8, 3, 3, dtype=torch.int8)}) == "type int8"
