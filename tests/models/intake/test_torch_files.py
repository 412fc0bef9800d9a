"""Files of torch.save in this process: what comes out of them, and what of others is named."""

import copyreg
import pickle

import numpy as np
import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.intake.archive import WHAT_IS_READ
from aegis.models.intake.entries import NESTED
from aegis.models.intake.torch_files import read_torch
from tests.hostile.pickles import LEGACY

W = torch.arange(6.0).reshape(2, 3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.pt"


def read(path, content, **options):
    torch.save(content, path, **options)
    return [
        (name, dtype, shape, bytes(data))
        for name, dtype, shape, data in read_torch(path, "torch pickle" if options else "torch zip").tensors
    ]


def refusal(path, content):
    with pytest.raises(CheckpointError) as caught:
        read(path, content)
    return caught.value.expected, caught.value.got


def refused_pickle(path, *names):
    """What is said of a pickle that imports these."""
    path.write_bytes(b"\x80\x02" + b"".join(f"c{name.replace(' ', chr(10))}\n".encode() for name in names) + b".")
    with pytest.raises(CheckpointError) as caught:
        read_torch(path, "torch pickle")
    assert caught.value.expected == WHAT_IS_READ
    return caught.value.got


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "older"])
def test_tensors_come_out_by_name_in_their_order(path, options):
    state = {"w": W, "b": torch.tensor([True, False]), "n": torch.tensor(7)}
    assert read(path, state, **options) == [
        ("w", "F32", [2, 3], W.numpy().tobytes()),
        ("b", "BOOL", [2], b"\1\0"),
        ("n", "I64", [], b"\7\0\0\0\0\0\0\0"),
    ]


@pytest.mark.parametrize(
    "view",
    [W[:, 1:], W[:, 1], W[:1].expand(2, 3), W[:1, 1], torch.zeros(0, 2), torch.tensor([1 + 2j]).conj().imag],
    ids=["cut", "one column", "expanded", "one number", "none", "negative"],
)
def test_only_what_a_view_shows_comes_out_in_order(path, view):
    [(_, _, shape, data)] = read(path, {"w": view})
    assert shape == list(view.shape)
    assert data == view.resolve_neg().numpy().tobytes()


def test_tensors_that_share_memory_count_each_in_the_room_of_the_file(path, monkeypatch):
    state, asked, room = {"a": W, "b": W, "row": W[0]}, [], 60
    monkeypatch.setattr("aegis.models.intake.torch_files.room_for", lambda size: asked.append(size) or room)
    assert [len(data) for *_, data in read(path, state)] == [24, 24, 12]
    assert asked == [path.stat().st_size]
    room = 59
    assert refusal(path, state)[1] == "60"


@pytest.mark.parametrize(
    ("tensor", "found"),
    [
        (lambda: W.to_sparse_csr(), "torch.float32, torch.sparse_csr, cpu"),
        (lambda: W.to(torch.uint16), "torch.uint16, torch.strided, cpu"),
        (lambda: W.to(torch.float8_e5m2), "torch.float8_e5m2, torch.strided, cpu"),
    ],
    ids=["sparse", "unsigned", "eight bits"],
)
@pytest.mark.filterwarnings("ignore")
def test_a_tensor_of_another_kind_is_named_by_type_layout_and_place(path, tensor, found):
    expected, got = refusal(path, {"fine": W, "\x1bw": tensor()})
    assert expected == "dense tensors of type F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL"
    assert got == rf"{found} in \x1bw"


def test_of_several_copies_the_first_is_taken(path):
    content = {key: {f"{key}.{name}": W for name in "ab"} for key in reversed(NESTED)}
    for key in NESTED:
        assert [name for name, *_ in read(path, content)] == [f"{key}.a", f"{key}.b"]
        # What is no dictionary may have any of these names.
        content[key] = "resnet18"


def test_three_other_entries_are_named_and_values_before_names(path):
    expected, got = refusal(path, {b"\xff": W, "w": W, ("w",): W, 1.5: W, "lr\n": 0.1})
    assert expected == "a flat dictionary of tensors, or one inside another dictionary"
    assert got == r"other entries too: lr\n (float), b'\xff' (as a name), a tuple (as a name)"


def test_numbers_of_numpy_beside_the_weights_are_forgotten_and_torchs_safe_names_left_as_they_were(path):
    beside = {"lr": np.float32(0.1), "curve": np.arange(3), "type": np.dtype("f8")}
    assert read(path, {"state_dict": {"w": W}, **beside}) == read(path, {"w": W})
    assert "NumPy" not in str(torch.serialization.get_safe_globals())
    refusal(path, {"w": W, "code": copyreg.constructor})
    assert "NumPy" not in str(torch.serialization.get_safe_globals())


def test_five_imports_are_named_in_order_and_more_are_counted(path):
    names = [f"os n{number}" for number in (4, 2, 5, 1, 3)]
    assert refused_pickle(path, *names) == (
        "a pickle that runs code: os.n1, os.n2, os.n3, os.n4, os.n5. Nothing of it was run"
    )
    assert "os.n4, os.n5 and 1 more. Nothing" in refused_pickle(path, *names, "os n6")


PLAIN = (
    "collections OrderedDict",
    "collections Counter",
    "torch Size",
    "torch device",
    "torch.nn.parameter Parameter",
    "torch._utils _rebuild_tensor_v2",
    "torch FloatStorage",
    "torch.storage UntypedStorage",
    "_codecs encode",
    "numpy dtype",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray _reconstruct",
)


def test_what_weights_need_is_not_blamed_and_with_nothing_to_blame_a_pickle_is_called_damaged(path):
    assert refused_pickle(path, *PLAIN, "os system") == "a pickle that runs code: os.system. Nothing of it was run"
    assert refused_pickle(path, *PLAIN[:3], "torch._utils _rebuild_nothing") == (
        "a pickle that torch.save did not write, or a damaged one"
    )


def test_imports_are_quoted_short_and_without_escapes_and_those_of_a_second_pickle_as_well(path):
    assert rf": m\x1b.{'n' * 71}.... Nothing" in refused_pickle(path, f"m\x1b {'n' * 100}")
    path.write_bytes(pickle.dumps(copyreg.constructor, 2) + b"\x80\x02cos\nsystem\n.")
    with pytest.raises(CheckpointError, match=r"copy_reg\.constructor, os\.system\."):
        read_torch(path, "torch pickle")
