"""Which tensors are plain, at and just beyond each limit."""

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.intake.formats import FILE_LIMIT
from aegis.models.intake.tensor_limits import (
    AXES_LIMIT,
    DTYPES,
    NAME_LIMIT,
    SIDE_LIMIT,
    TENSOR_LIMIT,
    check_plain,
    plain_header,
    room_for,
)
from tests.hostile.headers import ENTRY

ROOM = 1000


def refusal(tensors, room=ROOM):
    with pytest.raises(CheckpointError) as caught:
        check_plain(tensors, room)
    return caught.value.expected, caught.value.got


def test_types_are_torchs_and_take_what_torch_takes():
    assert all(getattr(torch, dtype).itemsize == size for dtype, size in DTYPES.values())


def test_a_file_has_room_for_eight_times_its_bytes_up_to_the_largest_file():
    assert [room_for(size) for size in (0, 1, 2**20)] == [2**20, 2**20 + 8, 9 * 2**20]
    enough = (FILE_LIMIT - 2**20) // 8
    assert [room_for(size) for size in (enough - 1, enough, FILE_LIMIT)] == [FILE_LIMIT - 8, FILE_LIMIT, FILE_LIMIT]


def test_as_many_tensors_as_the_limit_pass_and_one_more_or_none_is_refused():
    many = dict.fromkeys(map(str, range(TENSOR_LIMIT)), ("U8", [0]))
    check_plain(many, 0)
    assert refusal(many | {"one more": ("U8", [0])}) == ("1 to 100,000 tensors", "100,001")
    assert refusal({}) == ("1 to 100,000 tensors", "0")


def test_a_name_may_be_as_long_as_its_limit():
    check_plain({"w" * NAME_LIMIT: ("F32", [1])}, ROOM)
    assert refusal({"w" * (NAME_LIMIT + 1): ("F32", [1])}) == (
        "names of at most 1000 characters",
        f"one of 1001: {'w' * 77}...",
    )


def test_types_are_known_by_their_exact_names():
    for dtype in ("f32", "F32 ", "float32", "C64", ""):
        assert refusal({"w": (dtype, [1])}) == (
            "tensors of type F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL",
            f"{dtype} in w",
        )


def test_a_tensor_may_have_as_many_axes_as_the_limit_and_one_more_is_shown():
    check_plain({"w": ("F32", [1] * AXES_LIMIT)}, ROOM)
    for axes in (AXES_LIMIT + 1, 10**5):
        expected, got = refusal({"w": ("F32", [1] * axes)})
        assert expected == "tensors of at most 16 axes with less than 2,147,483,648 places each"
        assert got == f"w of shape ({', '.join('1' * 17)})"


@pytest.mark.parametrize("side", [-1, SIDE_LIMIT])
def test_a_side_out_of_its_range_is_refused_even_where_nothing_is_held(side):
    check_plain({"w": ("U8", [0, SIDE_LIMIT - 1])}, 0)
    assert refusal({"w": ("U8", [0, side])})[1] == f"w of shape (0, {side})"


def test_tensors_may_fill_their_room_together_and_no_more():
    for dtype, (_, size) in DTYPES.items():
        tensors = {"a": (dtype, [2, 3]), "b": (dtype, [4]), "one value": (dtype, [])}
        check_plain(tensors, 11 * size)
        assert refusal(tensors, 11 * size - 1) == (
            f"tensors that take at most {11 * size - 1} bytes, as a file of this size may hold",
            f"{11 * size}",
        )
    claimed = SIDE_LIMIT - 1
    assert refusal({"w": ("F64", [claimed] * AXES_LIMIT)})[1] == f"{8 * claimed**AXES_LIMIT:,}"


def test_a_header_says_type_and_shape_of_each_tensor():
    header = {"__metadata__": {"a": "b"}, "w": ENTRY, "n": {"dtype": "I64", "shape": [], "data_offsets": [4, 12]}}
    assert plain_header(header) == {"w": ("F32", [1]), "n": ("I64", [])}
    assert plain_header({}) == {}
    # A type that is no text is left for the check to name.
    assert plain_header({"w": {"shape": [2]}, "v": {"dtype": 32, "shape": []}}) == {"w": ("None", [2]), "v": ("32", [])}


@pytest.mark.parametrize("entry", [None, [], {}, {"shape": None}, {"shape": {}}, {"shape": [1, "2"]}])
def test_an_entry_without_a_shape_of_whole_numbers_is_odd(entry):
    with pytest.raises(CheckpointError, match=r"whose header is whole; got an odd entry for \\x1bv"):
        plain_header({"w": ENTRY, "\x1bv": entry})
