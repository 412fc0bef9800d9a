"""NPZ files that bring code with them, lie about their size or hold no images."""

import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np

from tests.hostile.case import PICTURES
from tests.hostile.pickles import numpy_load, system
from tests.hostile.pictures import SIDE, pack


def arrays(**changes):
    """A good data set's arrays, with changes."""
    x, y = np.zeros((4, SIDE, SIDE), np.uint8), np.array([0, 1, 0, 1])
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y} | changes


def _npz(path: Path, **changes) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays(**changes))


for title, name in (("array of objects", "x_train"), ("names that are objects", "class_names")):
    PICTURES.add(
        f"{title}.npz",
        lambda path, canary, name=name: _npz(path, **{name: np.array([system(canary), "b"], dtype=object)}),
        "Python objects, which are never unpickled",
        unsafe=lambda path, name=name: numpy_load(path, name),
    )


@PICTURES.case("does not read as one", unsafe=lambda path: pickle.loads(zipfile.ZipFile(path).read("x_train.npy")))  # noqa: S301
def pickle_in_place_of_an_array__npz(path, canary):
    pack(path, [(f"{name}.npy", pickle.dumps(system(canary))) for name in arrays()])


def _header(shape: str, dtype: str = "|u1") -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def _headed(header: bytes):
    return lambda path, _: pack(path, [(f"{name}.npy", header) for name in arrays()])


for title, header, words in (
    ("claims terabytes", _header("(1000000, 1000, 1000)"), "cut short"),
    ("has fewer than no places", _header("(-1, 6, 6)"), "does not read as one"),
    ("has a shape that is no tuple", _header("__import__('os').system('true')"), "does not read as one"),
    ("has a shape of three thousand signs", _header("-" * 3000 + "1"), "x_train is no numpy array"),
    ("has a shape of nine thousand signs", _header("-" * 9000 + "1"), "x_train is no numpy array"),
    ("has a type that nobody has", _header("(4, 6, 6)", "|z9"), "does not read as one"),
    ("has records for pixels", _header("(4, 6, 6)", "S0"), "array of nothing"),
    ("breaks off", b"\x93NUMPY\x01\x00\xff\xff{", "does not read as one"),
    ("is of version nine", b"\x93NUMPY\x09\x00\x10\0\0\0{}", "does not read as one"),
):
    PICTURES.add(f"array that {title}.npz", _headed(header), words)

for title, changes, words in (
    ("labels out of range", {"y_train": np.array([0, 1, 0, 2**40])}, ("y_train from 0",)),
    ("labels below nothing", {"y_train": np.array([0, 1, 0, -1])}, ("y_train from 0",)),
    ("a stray label", {"y_train": np.array([0, 1, 0, 10**9])}, ("a label 1000000000 among",)),
    ("labels that are fractions", {"y_train": np.array([0.0, 0.5, 0, 1])}, ("y_train as integers",)),
    ("labels that are text", {"y_train": np.array(["a", "b", "a", "b"])}, ("y_train as integers",)),
    ("one label too few", {"y_train": np.array([0, 1, 0])}, ("as many labels",)),
    ("labels of several classes", {"y_train": np.ones((4, 2))}, ("one-hot",)),
    ("one class", {"y_train": np.zeros(4, int), "y_test": np.zeros(4, int)}, ("at least two classes",)),
    ("NaN", {"x_train": np.full((4, SIDE, SIDE), np.nan)}, ("finite values in x_train",)),
    ("pixels above 1", {"x_train": np.full((4, SIDE, SIDE), 254.5)}, ("between 0 and 1",)),
    ("16-bit pixels", {"x_train": np.zeros((4, SIDE, SIDE), np.uint16)}, ("uint8",)),
    ("complex pixels", {"x_train": np.zeros((4, SIDE, SIDE), complex)}, ("uint8",)),
    ("five bands", {"x_train": np.zeros((4, SIDE, SIDE, 5), np.uint8)}, ("1 to 4 channels",)),
    ("one dimension", {"x_train": np.zeros(4, np.uint8)}, ("x_train of shape",)),
    ("no pixels", {"x_train": np.zeros((4, 0, 6), np.uint8)}, ("none of them 0",)),
    ("a class that steers a terminal", {"class_names": np.array(["a", "\x1b[2J"])}, ("steers a terminal",)),
    ("half of a character in a class", {"class_names": np.array(["a", "\udc80"])}, ("steers a terminal",)),
    ("two classes of one name", {"class_names": np.array(["a", "a"])}, ("class names that differ",)),
    ("names that are numbers", {"class_names": np.arange(2)}, ("class_names as a one-dimensional array",)),
):
    PICTURES.add(f"{title}.npz", lambda path, _, changes=changes: _npz(path, **changes), *words)


PICTURES.add("lacks an array.npz", lambda path, _: pack(path, [("x_train.npy", b"x")]), "no y_train")


@PICTURES.case("pixel values")
def claims_gigabytes_in_its_list_too__npz(path, canary):
    header = _header("(70000, 128, 128)")
    _headed(header)(path, canary)
    size = struct.pack("<I", 70000 * 128 * 128 + len(header))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", len(header)), size))
