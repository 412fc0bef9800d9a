"""Safetensors files whose headers or cards lie."""

import json
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from tests.hostile.case import CARDS, CHECKPOINTS

ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
EMPTY = ENTRY | {"shape": [0], "data_offsets": [0, 0]}
CARD = {"architecture": "aegis:cnn16", "class_names": ["a", "b", "c", "d"], "shape": [1, 12, 12]}
AGAIN = "copy or save it again"


def write(path: Path, header: object, data: bytes = bytes(4), claimed: int | None = None) -> None:
    """A file with this header, and a length of it that may be another."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + data)


for name, header, words in (
    ("that is a list", [], ("unknown kind",)),
    ("that is no JSON", b'{"w": ', ("header that cannot be read", AGAIN)),
    ("that is no text", b'{"\xff\xfe": 1}', ("header that cannot be read",)),
    ("nested a hundred thousand deep", b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ("cannot be read",)),
    ("with a number of five thousand digits", b'{"w": ' + b"9" * 5000 + b"}", ("header that cannot be read",)),
    ("with one name twice", b'{"w": %b, "w": %b}' % ((json.dumps(ENTRY).encode(),) * 2), ("stands in it twice",)),
    ("with one type twice", b'{"w": {"dtype": "F32", "dtype": "F64"}}', ("twice",)),
    ("without tensors", {"__metadata__": {"a": "b"}}, ("1 to 100,000 tensors",)),
    ("with an entry that is a text", {"w": "F32"}, ("an odd entry for w",)),
    ("with a shape that is a text", {"w": ENTRY | {"shape": "1"}}, ("an odd entry for w",)),
    ("with half a place", {"w": ENTRY | {"shape": [1.5]}}, ("an odd entry for w",)),
    ("with places that are true", {"w": ENTRY | {"shape": [True]}}, ("an odd entry for w",)),
    ("with fewer than no places", {"w": ENTRY | {"shape": [-1]}}, ("w of shape (-1,)",)),
    ("whose shape overflows", {"w": ENTRY | {"shape": [2**62, 4]}}, ("w of shape (4611686018427387904, 4)",)),
    ("whose shape is nothing times too much", {"w": EMPTY | {"shape": [0, 2**62]}}, ("at most 16 axes",)),
    (
        "that claims terabytes",
        {"w": ENTRY | {"shape": [2**20] * 2, "data_offsets": [0, 2**42]}},
        ("file of this size",),
    ),
    ("that claims more than follows", {"w": ENTRY | {"shape": [1000], "data_offsets": [0, 4000]}}, (AGAIN,)),
    ("that claims less than follows", {"w": EMPTY}, (AGAIN,)),
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
    CHECKPOINTS.add(f"header {name}", lambda path, _, header=header: write(path, header), *words)

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
    CHECKPOINTS.add(f"tensor named by {title}", lambda path, _, name=name: write(path, {name: ENTRY}), shown)


for title, claimed, words in (
    ("no bytes", 0, "a header that cannot be read"),
    ("terabytes", 2**44, "claims 17592186044416 bytes in a file of"),
    ("all bytes there are", 2**64 - 1, "claims 18446744073709551615 bytes"),
):
    CHECKPOINTS.add(f"header of {title}", lambda path, _, n=claimed: write(path, {"w": ENTRY}, claimed=n), words)


@CHECKPOINTS.case("a header of at most 16 MiB")
def header_of_a_hundred_megabytes(path, canary):
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 100 * 2**20) + b"{")
        file.truncate(101 * 2**20)


@CHECKPOINTS.case("1 to 100,000 tensors", "100,001")
def header_with_more_names_than_networks_have(path, canary):
    write(path, {f"{i}": EMPTY for i in range(100_001)}, b"")


GOOD = save({"weight": np.arange(4, dtype=np.float32), "bias": np.ones(1, np.float32)})
for title, content, words in (
    ("cut in its length", GOOD[:5], "Expected"),
    ("cut after its length", GOOD[:8], "Expected"),
    ("cut in its header", GOOD[:40], "Expected"),
    ("cut after its header", GOOD[: 8 + int.from_bytes(GOOD[:8], "little")], "Expected"),
    ("cut in its tensors", GOOD[:-1], "Expected"),
    ("with a zip behind it", GOOD + b"PK\x05\x06" + bytes(18), AGAIN),
    ("with a flipped byte in its header", GOOD[:20] + bytes([GOOD[20] ^ 0x80]) + GOOD[21:], AGAIN),
    ("with NaN", save({"weight": np.full(4, np.nan, np.float32)}), "NaN or infinite values in weight"),
):
    CHECKPOINTS.add(f"safetensors {title}", content, words)


def _card(card: object) -> bytes:
    text = card if isinstance(card, str) else json.dumps(card)
    return save({"weight": np.ones(4, np.float32)}, {"aegis.identity": text})


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
    CHECKPOINTS.add(f"card {title}", _card(card), *words)

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
    CARDS.add(f"card that names {architecture}", _card(CARD | {"architecture": architecture}), word)
