"""Files of torch.save without code, whose tensors are none, too many, too large or of another kind."""

import numpy as np
import torch

from tests.hostile.case import CHECKPOINTS
from tests.hostile.pickles import LEGACY, WEIGHTS, Calls, swap, text


@CHECKPOINTS.case("as a file of this size may hold")
def tensor_expanded_to_gigabytes(path, canary):
    torch.save({"w": torch.zeros(1).expand(2**29)}, path)


@CHECKPOINTS.case("cannot be read")
def tensor_larger_than_its_storage(path, canary):
    torch.save({"w": _rebuilt((1000,), (1,))}, path)


@CHECKPOINTS.case("cannot be read")
def tensor_with_negative_strides(path, canary):
    torch.save({"w": _rebuilt((2,), (-1,), 1)}, path)


def _rebuilt(size, stride, offset=0):
    storage = torch.ones(4).storage()
    return Calls(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, {})


@CHECKPOINTS.case("a file that cannot be read")
def storage_that_claims_terabytes(path, canary):
    torch.save({"w": torch.zeros(300)}, path)
    swap(path, "data.pkl", lambda content: content.replace(b"M,\x01", b"\x8a\x06\0\0\0\0\0\x01", 1))


@CHECKPOINTS.case("memory")
def old_format_storage_that_claims_terabytes(path, canary):
    torch.save({"w": torch.zeros(300)}, path, **LEGACY)
    path.write_bytes(path.read_bytes().replace(b"M,\x01", b"\x8a\x06\0\0\0\0\0\x01", 1))


@CHECKPOINTS.case("a dictionary of tensors", "a tuple")
def tuples_nested_a_hundred_thousand_deep(path, canary):
    torch.save(WEIGHTS, path)
    swap(path, "data.pkl", lambda content: b"\x80\x02)" + b"\x85" * 100_000 + b".")


@CHECKPOINTS.case("within", "of computing", limits=True)
def names_that_double_forty_times(path, canary):
    """A tuple of twice the tuple before, as a key: every lookup walks all of it."""
    torch.save(WEIGHTS, path)
    double = b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(1, 41))
    swap(path, "data.pkl", lambda content: b"\x80\x02}(K\x01" + double + b"K\x01u.")


# Whether it is the end of the file or of the memory that is found first depends on the system.
@CHECKPOINTS.case("a checkpoint: safetensors, or a state dictionary")
def text_that_claims_gigabytes(path, canary):
    path.write_bytes(b"\x80\x02X\xff\xff\xff\xffabc")


@CHECKPOINTS.case("1 to 100,000 tensors", "100,001")
def more_tensors_than_networks_have(path, canary):
    torch.save(WEIGHTS, path)
    swap(path, "data.pkl", _many)


def _many(content: bytes) -> bytes:
    tensor = content[content.index(b"ctorch._utils") : content.index(b"X\x04\x00\x00\x00bias")]
    again = b"".join(text(f"w{i}") + b"h\xfe" for i in range(100_000))
    return b"\x80\x02}(" + text("w") + tensor + b"q\xfe" + again + b"u."


for title, content, words in (
    ("a list", [1, 2], ("a list",)),
    ("a single tensor", torch.ones(2), ("a Tensor",)),
    ("an empty dictionary", {}, ("1 to 100,000 tensors",)),
    ("weights and other values on one level", {"epoch": 3, "w": torch.ones(2)}, ("epoch (int)",)),
    ("a dictionary in the dictionary", {"model": {"w": torch.ones(2), "x": {"y": torch.ones(1)}}}, ("x (dict)",)),
    ("numbers for names", {7: torch.ones(2)}, ("7 (as a name)",)),
    ("the name of the header", {"__metadata__": torch.ones(2)}, ("'__metadata__' (as a name)",)),
    ("complex weights", {"w": torch.ones(2, dtype=torch.complex64)}, ("complex64",)),
    ("sparse weights", {"w": torch.eye(3).to_sparse()}, ("sparse",)),
    ("weights without values", {"w": torch.empty(3, device="meta")}, ("meta",)),
    ("weights in numpy arrays", {"w": np.ones(3, np.float32)}, ("w (NumPyValue)",)),
    ("weights that are NaN", {"w": torch.tensor([1.0, float("nan")])}, ("NaN or infinite values in w",)),
    ("weights that are infinite", {"w": torch.tensor([float("-inf")])}, ("NaN or infinite values in w",)),
    ("weights beyond float32", {"w": torch.tensor([1e300], dtype=torch.float64)}, ("NaN or infinite values in w",)),
    ("a name of a megabyte", {"w" * 2**20: torch.ones(1)}, ("names of at most 1000 characters",)),
    ("seventeen axes", {"w": torch.ones([1] * 17)}, ("at most 16 axes",)),
    ("half of a character as a name", {"w\ud800": torch.ones(1)}, ("impossible names",)),
):
    CHECKPOINTS.add(f"torch file of {title}", lambda path, canary, content=content: torch.save(content, path), *words)
