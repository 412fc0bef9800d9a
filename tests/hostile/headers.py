"""Safetensors files whose headers or cards lie."""

import json
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save, save_file

from tests.hostile.case import CARDS, CHECKPOINTS

ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
CARD = {"architecture": "aegis:cnn16", "class_names": ["a", "b", "c", "d"], "shape": [1, 12, 12]}
AGAIN = "copy or save it again"


def write(path: Path, header: object, data: bytes = bytes(4), claimed: int | None = None) -> None:
    """A file with this header, and a length of it that may be another."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + data)


def good() -> bytes:
    """A whole file."""
    return save({"weight": np.arange(4, dtype=np.float32), "bias": np.ones(1, np.float32)})


for name, header, words in (
    ("that is a list", [], ("unknown kind",)),
    ("that is no JSON", b'{"w": ', ("header that cannot be read", AGAIN)),
    ("that is no text", b'{"\xff\xfe": 1}', ("header that cannot be read",)),
    (
        "nested a hundred thousand deep",
        b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ("header that cannot be read",),
    ),
    ("with a number of five thousand digits", b'{"w": ' + b"9" * 5000 + b"}", ("header that cannot be read",)),
    ("with one name twice", b'{"w": %b, "w": %b}' % ((json.dumps(ENTRY).encode(),) * 2), ("stands in it twice",)),
    (
        "with one type twice",
        b'{"w": {"dtype": "F32", "dtype": "F64", "shape": [1], "data_offsets": [0, 4]}}',
        ("twice",),
    ),
    ("without tensors", {"__metadata__": {"a": "b"}}, ("1 to 100,000 tensors",)),
    ("with an entry that is a text", {"w": "F32"}, ("an odd entry for w",)),
    ("with a shape that is a text", {"w": ENTRY | {"shape": "1"}}, ("an odd entry for w",)),
    ("with half a place", {"w": ENTRY | {"shape": [1.5]}}, ("an odd entry for w",)),
    ("with places that are true", {"w": ENTRY | {"shape": [True]}}, ("an odd entry for w",)),
    ("with fewer than no places", {"w": ENTRY | {"shape": [-1]}}, ("w of shape (-1,)",)),
    ("whose shape overflows", {"w": ENTRY | {"shape": [2**62, 4]}}, ("w of shape (4611686018427387904, 4)",)),
    (
        "whose shape is nothing times too much",
        {"w": ENTRY | {"shape": [0, 2**62], "data_offsets": [0, 0]}},
        ("at most 16 axes",),
    ),
    (
        "that claims terabytes",
        {"w": ENTRY | {"shape": [2**20, 2**20], "data_offsets": [0, 2**42]}},
        ("as a file of this size may hold",),
    ),
    ("that claims more than follows", {"w": ENTRY | {"shape": [1000], "data_offsets": [0, 4000]}}, (AGAIN,)),
    ("that claims less than follows", {"w": ENTRY | {"shape": [0], "data_offsets": [0, 0]}}, (AGAIN,)),
    ("whose tensors overlap", {"a": ENTRY, "b": ENTRY}, (AGAIN,)),
    ("whose tensors begin after the end", {"w": ENTRY | {"data_offsets": [2**40, 2**40 + 4]}}, (AGAIN,)),
    ("whose tensors end before they begin", {"w": ENTRY | {"data_offsets": [4, 0]}}, (AGAIN,)),
    ("whose shape is not its bytes", {"w": ENTRY | {"shape": [2]}}, (AGAIN,)),
    ("with a type that no network has", {"w": ENTRY | {"dtype": "F8_E4M3", "shape": [4]}}, ("F8_E4M3 in w",)),
    ("with a type that nobody has", {"w": ENTRY | {"dtype": "\x1b[31mF32"}}, (r"\x1b[31mF32 in w",)),
    ("without a type", {"w": {"shape": [1], "data_offsets": [0, 4]}}, ("None in w",)),
    ("with a name of two thousand letters", {"w" * 2000: ENTRY}, ("names of at most 1000 characters",)),
    ("with half of a character", {"w\ud800": ENTRY}, (AGAIN,)),
    ("with notes that are numbers", {"__metadata__": {"aegis.identity": 7}, "w": ENTRY}, (AGAIN,)),
    ("with notes that are a list", {"__metadata__": ["aegis.identity"], "w": ENTRY}, ("Expected",)),
):
    CHECKPOINTS.add(f"header {name}", lambda path, canary, header=header: write(path, header), *words)

# These load as far as their names, which fit no network: the message quotes them, and must not be steered by them.
for title, name, shown in (
    ("a terminal escape", "\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J"),
    ("reversed writing", "w\u202egnp.exe", r"w\u202egnp.exe"),
    ("markup", "<script>alert(1)</script>[red]**x**$y$", "<script>alert(1)</script>[red]**x**$y$"),
    ("line breaks", "w\r\n\u2028aegis: clean", r"w\r\n\u2028aegis: clean"),
    ("spaces of no width", "w\u200b\ufeff", r"w\u200b\ufeff"),
    ("a path", "../../etc/passwd", "../../etc/passwd"),
    ("nothing", "", "unexpected ("),
):
    CHECKPOINTS.add(f"tensor named by {title}", lambda path, canary, name=name: write(path, {name: ENTRY}), shown)


@CHECKPOINTS.case("a header that cannot be read")
def header_of_no_bytes(path, canary):
    write(path, {"w": ENTRY}, claimed=0)


@CHECKPOINTS.case("claims 17592186044416 bytes in a file of")
def header_of_terabytes(path, canary):
    write(path, {"w": ENTRY}, claimed=2**44)


@CHECKPOINTS.case("claims 18446744073709551615 bytes")
def header_of_all_bytes_there_are(path, canary):
    write(path, {"w": ENTRY}, claimed=2**64 - 1)


@CHECKPOINTS.case("a header of at most 16 MiB")
def header_of_a_hundred_megabytes(path, canary):
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 100 * 2**20) + b"{")
        file.truncate(101 * 2**20)


@CHECKPOINTS.case("1 to 100,000 tensors", "100,001")
def header_with_more_names_than_networks_have(path, canary):
    write(path, {f"{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100_001)}, b"")


for title, keep in (
    ("in its length", lambda whole: 5),
    ("after its length", lambda whole: 8),
    ("in its header", lambda whole: 40),
    ("after its header", lambda whole: 8 + int.from_bytes(whole[:8], "little")),
    ("in its tensors", lambda whole: len(whole) - 1),
):
    CHECKPOINTS.add(
        f"safetensors cut {title}", lambda path, canary, keep=keep: path.write_bytes(good()[: keep(good())]), "Expected"
    )


@CHECKPOINTS.case(AGAIN)
def safetensors_with_a_zip_behind_it(path, canary):
    path.write_bytes(good() + b"PK\x05\x06" + bytes(18))


@CHECKPOINTS.case(AGAIN)
def safetensors_with_a_flipped_byte_in_its_header(path, canary):
    content = bytearray(good())
    content[20] ^= 0x80
    path.write_bytes(content)


@CHECKPOINTS.case("NaN or infinite values in weight")
def safetensors_with_nan(path, canary):
    save_file({"weight": np.full(4, np.nan, np.float32)}, path)


def _card(path: Path, card: object) -> None:
    text = card if isinstance(card, str) else json.dumps(card)
    save_file({"weight": np.ones(4, np.float32)}, path, {"aegis.identity": text})


for title, card, words in (
    ("that is no JSON", "{", ("Invalid JSON",)),
    ("that is null", "null", ("aegis.identity",)),
    ("nested deep", "[" * 5000, ("aegis.identity",)),
    ("without classes", {"architecture": "aegis:cnn16"}, ("class_names: Field required",)),
    ("with more to say than it may", CARD | {"verdict": "clean"}, ("verdict: Extra inputs",)),
    ("with an escape in its name", CARD | {"name": "\x1b[2Jclean"}, ("control character U+001B",)),
    ("with reversed writing in a class", CARD | {"class_names": ["a\u202eb", "c"]}, ("control character U+202E",)),
    ("with half of a character", json.dumps(CARD | {"name": "\udc80"}), ("aegis.identity",)),
    ("with images of a gigapixel", CARD | {"shape": [1, 30000, 30000]}, ("less than or equal to 224",)),
    ("with a number for a text", CARD | {"data": 7}, ("data: Input should be a valid string",)),
    ("with an infinite mean", json.dumps(CARD)[:-1] + ', "mean": [1e999]}', ("mean",)),
    ("with a deviation of nothing", CARD | {"std": [0.0]}, ("greater than 0",)),
    ("with a million classes", CARD | {"class_names": ["x"] * 100_001}, ("class_names",)),
):
    CHECKPOINTS.add(f"card {title}", lambda path, canary, card=card: _card(path, card), *words)

# Cards that want something done, which loading without --arch would do.
for architecture, word in {
    "os:system": "would run code from another module",
    "aegis.models.intake.worker:main": "would run code from another module",
    "timm:hf-hub:stranger/model": "the plain name of an architecture",
    "timm:local-dir:/etc": "the plain name of an architecture",
    "timm:resnet18,pretrained=1": "with pretrained weights",
    "torchvision:fasterrcnn_resnet50_fpn": "an image classifier of torchvision",
    "torchvision:../resnet18": "an image classifier of torchvision",
    "aegis:cnn32,width=1000000": "missing",
    "aegis:cnn16,width=-1": "cannot be built",
    "aegis:cnn16,width=x": "options of the form",
}.items():
    CARDS.add(
        f"card that names {architecture}",
        lambda path, canary, architecture=architecture: _card(path, CARD | {"architecture": architecture}),
        word,
    )
