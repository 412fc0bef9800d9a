"""Files of torch.save without code, whose tensors are none, too many, too large or of another kind."""

import numpy as np
import torch

from tests.hostile.case import CHECKPOINTS
from tests.hostile.pickles import LEGACY, WEIGHTS, Calls, swap, text


def _pickled(change, weights=WEIGHTS):
    """A file whose pickle is another."""

    def make(path, canary):
        torch.save(weights, path)
        swap(path, "data.pkl", change)

    return make


def _many(content: bytes) -> bytes:
    tensor = content[content.index(b"ctorch._utils") : content.index(b"X\x04\x00\x00\x00bias")]
    again = b"".join(text(f"w{i}") + b"h\xfe" for i in range(100_000))
    return b"\x80\x02}(" + text("w") + tensor + b"q\xfe" + again + b"u."


def _terabytes(content: bytes) -> bytes:
    return content.replace(b"M,\x01", b"\x8a\x06\0\0\0\0\0\x01", 1)


CHECKPOINTS.add("more tensors than networks have", _pickled(_many), "1 to 100,000 tensors", "100,001")
LARGE = {"w": torch.zeros(300)}
CHECKPOINTS.add("storage that claims terabytes", _pickled(_terabytes, LARGE), "a file that cannot be read")
DEEP = b"\x80\x02)" + b"\x85" * 100_000 + b"."
CHECKPOINTS.add("tuples nested a hundred thousand deep", _pickled(lambda _: DEEP), "a dictionary of tensors", "a tuple")
# A tuple of twice the tuple before, as a key: every lookup walks all of it.
DOUBLE = b"\x80\x02}(K\x01" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(1, 41)) + b"K\x01u."
CHECKPOINTS.add("names that double forty times", _pickled(lambda _: DOUBLE), "within", "of computing", limits=True)
# Whether it is the end of the file or of the memory that is found first depends on the system.
CHECKPOINTS.add(
    "text that claims gigabytes", b"\x80\x02X\xff\xff\xff\xffabc", "a checkpoint: safetensors, or a state dict"
)


@CHECKPOINTS.case("memory")
def old_format_storage_that_claims_terabytes(path, canary):
    torch.save(LARGE, path, **LEGACY)
    path.write_bytes(_terabytes(path.read_bytes()))


@CHECKPOINTS.case("as a file of this size may hold")
def tensor_expanded_to_gigabytes(path, canary):
    torch.save({"w": torch.zeros(1).expand(2**29)}, path)


def _rebuilt(size, stride, offset):
    def make(path, canary):
        rebuilt = Calls(torch._utils._rebuild_tensor_v2, torch.ones(4).storage(), offset, size, stride, False, {})
        torch.save({"w": rebuilt}, path)

    return make


CHECKPOINTS.add("tensor larger than its storage", _rebuilt((1000,), (1,), 0), "cannot be read")
CHECKPOINTS.add("tensor with negative strides", _rebuilt((2,), (-1,), 1), "cannot be read")

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
    CHECKPOINTS.add(f"torch file of {title}", lambda path, _, content=content: torch.save(content, path), *words)
