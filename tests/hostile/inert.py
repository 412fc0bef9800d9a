"""Pickles aimed at the reader that resolves no names: what they call, set, share, claim and hold, as a table.

Each lies beside a network of one tensor. What is merely odd is left there, and the network does not fit the
architecture that is asked for; all else is refused.
"""

import io
import pickle
import zipfile
from collections.abc import Callable

import torch

from tests.hostile.case import CHECKPOINTS
from tests.hostile.pickles import CODE, text

READ, UNREADABLE, OTHER, MEMORY = "1 unexpected (w)", "cannot be read", "torch.save did not write", "memory"
TWO, WITHOUT_END, SLOW, ENDED = "2 networks", "containers without end", "of computing", "reading was ended by"


def name(dotted: str) -> bytes:
    """A class or function: module, blank, name."""
    return b"c" + dotted.replace(" ", "\n").encode() + b"\n"


def number(value: int) -> bytes:
    """A whole number of any size."""
    digits = pickle.encode_long(value)
    return b"\x8a" + bytes([len(digits)]) + digits


def those(*parts: bytes) -> bytes:
    """A tuple."""
    return b"(" + b"".join(parts) + b"t"


def pairs(*parts: bytes, of: bytes = b"}") -> bytes:
    """A dictionary of keys and values in turn."""
    return of + b"(" + b"".join(parts) + b"u"


def put(place: int) -> bytes:
    """Keep what was made last."""
    return b"q" + bytes([place])


def get(place: int) -> bytes:
    """What is kept there."""
    return b"h" + bytes([place])


def call(what: bytes, *parts: bytes) -> bytes:
    """Call something, as ``__reduce__`` asks."""
    return what + those(*parts) + b"R"


OWN, SETTINGS, TENSOR = name("their.net Net"), name("argparse Namespace"), name("torch Tensor")
ORDERED = call(name("collections OrderedDict"))
FLOATS = name("torch FloatStorage")


def made(*state: bytes, of: bytes = OWN) -> bytes:
    """An object of one's own with its state, of names and values in turn."""
    return of + b")\x81" + pairs(*state) + b"b"


def storage(kind: bytes = FLOATS, key: bytes = text("0"), numel: int = 4, where: bytes = text("cpu")) -> bytes:
    """The numbers of a tensor, or what is said to be so."""
    return those(text("storage"), kind, key, where, number(numel)) + b"Q"


def tensor(size: tuple = (4,), stride: tuple = (1,), offset: int = 0, numbers: bytes = storage()) -> bytes:
    """A tensor as torch rebuilds it."""
    sides, steps = (those(*map(number, values)) for values in (size, stride))
    return call(name("torch._utils _rebuild_tensor_v2"), numbers, number(offset), sides, steps, b"\x89", ORDERED)


def typed(function: bytes, kind: bytes) -> bytes:
    """A tensor of a class of its own."""
    return call(name("torch._tensor _rebuild_from_type_v2"), function, kind, those(), b"}")


def doubled(levels: int) -> bytes:
    """A module that holds another one twice, which holds another one twice."""
    inner, nothing = made(text("_parameters"), b"}", text("_modules"), b"}"), text("_parameters") + b"}"
    for level in range(levels):
        below = pairs(text("a"), inner + put(level), text("b"), get(level))
        inner = made(nothing, text("_modules"), below)
    return inner


def nested(times: int, wrap: Callable[[bytes], bytes], inner: bytes) -> bytes:
    """Something in something, so many times."""
    for _ in range(times):
        inner = wrap(inner)
    return inner


WEIGHTS = text("layer.w") + tensor((2, 2), (2, 1), 0, storage(key=text("1")))
HOLDING_IT = pairs(text("_parameters"), b"}", text("_modules"), pairs(text("m"), get(9)))
TWICE = b"".join(put(place) + get(place) + b"\x86" for place in range(40))
ENCODE = name("_codecs encode")
OPCODES = {
    **{"ext1": b"\x82\x01", "ext2": b"\x83\x01\x01", "ext4": b"\x84\x01\x01\0\0", "persid": b"Pstorage\n"},
    **{"dup": b"K\x012", "frame": b"\x95" + bytes(8), "next buffer": b"\x97", "byte array": b"\x96" + bytes(8)},
}

# What lies beside the network, and what is said of the file.
BESIDE = {
    "a placeholder that is called": (call(OWN, b"K\x01"), READ),
    "a placeholder called with itself": (call(OWN + put(9), get(9)), READ),
    "what a placeholder gave called": (call(call(OWN)), CODE),
    "a placeholder made of thirty thousand things": (OWN + those(b"K\x01" * 30_000) + b"\x81", READ),
    "a placeholder made of a dictionary": (OWN + pairs(text("parts"), b"N") + b"\x81", READ),
    "a placeholder made of nothing": (OWN + b"N\x81", UNREADABLE),
    "a placeholder whose parts and class are set": (made(text("parts"), b"N", text("__class__"), SETTINGS), READ),
    "a placeholder whose slots are set": (OWN + b")\x81" + b"N" + pairs(text("state"), b"N") + b"\x86b", READ),
    "a placeholder set to itself": (OWN + b")\x81" + put(9) + get(9) + b"b", READ),
    "a placeholder's class that is set": (OWN + pairs(text("__new__"), SETTINGS) + b"b", CODE),
    "a class of Python that is set": (name("collections OrderedDict") + pairs(text("get"), b"N") + b"b", OTHER),
    "a number that is set": (b"K\x01" + pairs(text("real"), b"N") + b"b", OTHER),
    "a number that is called": (call(b"K\x01"), OTHER),
    "a text that is made": (text("os.system") + b")\x81", OTHER),
    "a name below that of a layer": (call(name("torch.nn.modules.linear os.system"), text("id")), READ),
    "a name below one's own": (call(name("their.net os.system"), text("id")), READ),
    "a name in letters that look alike": (call(name("\u043es system"), text("id")), OTHER),
    "a name with an escape": (call(name("their\x1b[2J.net Net")), READ),
    "a name below a dictionary": (call(name("collections OrderedDict.fromkeys.__globals__")), CODE),
    "a name of the reader's own": (call(name("aegis.models.intake.inert Inert")), READ),
    "the name of what gives classes": (call(name("aegis class_of"), text("os")), CODE),
    "a place in memory that is empty": (get(99), UNREADABLE),
    "the last place in memory": (b"K\x01r\xff\xff\xff\xff", READ),
    "a list that holds itself": (b"]" + put(9) + get(9) + b"a", READ),
    "a dictionary that holds itself": (b"}" + put(9) + text("k") + get(9) + b"s", READ),
    "tuples that double forty times": (b"]" + TWICE, WITHOUT_END),
    "a list in a tuple in the list": (b"]" + put(9) + get(9) + b"\x85a", READ),
    "a module that holds itself": (OWN + b")\x81" + put(9) + HOLDING_IT + b"b", READ),
    "modules that double sixty times": (doubled(60), "modules"),
    **{f"the opcode {title}": (code, OTHER) for title, code in OPCODES.items()},
    "the opcode inst": (b"(iargparse\nNamespace\n", CODE),
    "the opcode obj": (b"(" + SETTINGS + b"o", CODE),
    "the opcode newobj ex": (SETTINGS + b")}\x92", CODE),
    "an id that is a text": (text("storage") + b"Q", OTHER),
    "an id that is empty": (b")Q", UNREADABLE),
    "an id that is a number": (b"K\x01Q", UNREADABLE),
    "an id that is too short": (those(text("storage"), FLOATS) + b"Q", UNREADABLE),
    "an id in an id": (storage(key=storage()), UNREADABLE),
    "an id of a module": (those(text("module"), OWN, text("f.py"), text("import os")) + b"Q", CODE),
    "an id that is a placeholder": (call(OWN) + b"Q", CODE),
    "an id whose kind is a placeholder": (storage(kind=OWN), UNREADABLE),
    "an id that climbs out": (storage(key=text("../../../../etc/passwd")), UNREADABLE),
    "an id on another device": (storage(where=text("cuda:7")), READ),
    "a tensor before its storage": (tensor(offset=-1), UNREADABLE),
    "a tensor behind its storage": (tensor(offset=1), UNREADABLE),
    "a tensor of negative size": (tensor((-4,)), UNREADABLE),
    "a tensor whose strides overflow": (tensor((4, 4), (2**62, 2**62)), UNREADABLE),
    "a tensor with fewer strides than sides": (tensor((2, 2), (1,)), UNREADABLE),
    "a storage of other numbers": (tensor(numbers=storage(name("torch DoubleStorage"))), UNREADABLE),
    "a storage that claims terabytes": (tensor(numbers=storage(numel=2**42)), READ),
    "a storage of negative size": (tensor(numbers=storage(numel=-4)), READ),
    "a tensor set beyond its storage": (
        TENSOR + b")\x81" + those(storage(), b"K\0", those(number(2**50)), b"K\x01\x85") + b"b",
        UNREADABLE,
    ),
    "a tensor made of a number": (call(TENSOR, number(2**44)), MEMORY),
    "bytes made of a number": (call(name("__builtin__ bytearray"), number(2**46)), MEMORY),
    "a storage made of a number": (call(name("torch.storage UntypedStorage"), number(2**46)), MEMORY),
    "a tensor rebuilt by a placeholder": (typed(OWN, TENSOR), UNREADABLE),
    "a tensor of a placeholder's class": (typed(TENSOR, OWN), UNREADABLE),
    "names of every kind": (
        pairs(*(key + b"N" for key in (b"N", b"\x88", text(""), OWN, call(OWN), tensor(), b"K\x01\x85"))),
        READ,
    ),
    "a list as a name": (pairs(b"]N"), UNREADABLE),
    "a name without a value": (pairs(text("k")), UNREADABLE),
    "two thousand names that collide": (pairs(*(number(i * (2**61 - 1)) + b"N" for i in range(1, 2000))), READ),
    "items of a placeholder": (pairs(text("k"), b"N", of=call(OWN)), CODE),
    "items of a tuple": (pairs(text("k"), b"N", of=b")"), OTHER),
    "dictionaries ten thousand deep": (b"}" + (text("k") + b"}") * 10_000 + b"s" * 10_000, WITHOUT_END),
    "lists ten thousand deep": (b"]" * 10_001 + b"a" * 10_000, WITHOUT_END),
    "a network whose items are replaced": (
        pairs(WEIGHTS, of=ORDERED) + pairs(text("items"), name("collections OrderedDict")) + b"b",
        TWO,
    ),
    "a module whose tensors are replaced": (
        made() + pairs(text("_modules"), b"}", text("_parameters"), pairs(WEIGHTS), of=ORDERED)
        + pairs(text("get"), OWN, text("items"), OWN) + b"bb",
        TWO,
    ),
}  # fmt: skip

# What only the limits of a process end.
BOUNDED = {
    "a text written in hexadecimal sixty times": (
        nested(60, lambda inner: call(ENCODE, inner, text("hex")), call(ENCODE, text("a"), text("ascii"))),
        MEMORY,
    ),
    "eight gigabytes without a value": (call(TENSOR, number(2**31)), MEMORY),
    "a tuple a million deep as a name": (pairs(b")" + b"\x85" * 10**6 + b"N"), ENDED),
    "forty thousand names that collide": (
        pairs(*(number(i * (2**61 - 1)) + b"N" for i in range(1, 40_000))),
        SLOW,
    ),
    "an id whose key doubles forty times": (storage(key=b"K\x01" + TWICE), SLOW),
}


def archived(beside: bytes) -> bytes:
    """A file of torch.save: the network, its numbers and something beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", _pickled(tensor((2, 2), (2, 1)), beside))
        for key in "01":
            archive.writestr(f"archive/data/{key}", torch.full((4,), float(key)).numpy().tobytes())
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def older(beside: bytes) -> bytes:
    """The same in the older format."""
    serialization = torch.serialization
    head = (serialization.MAGIC_NUMBER, serialization.PROTOCOL_VERSION, {"little_endian": True})
    numbers = those(text("storage"), FLOATS, text("0"), text("cpu"), b"K\x04", b"N") + b"Q"
    parts = [pickle.dumps(part, 2) for part in head]
    parts += [_pickled(tensor((2, 2), (2, 1), 0, numbers), beside), pickle.dumps(["0"], 2)]
    return b"".join([*parts, (4).to_bytes(8, "little"), torch.ones(4).numpy().tobytes()])


def _pickled(weights: bytes, beside: bytes) -> bytes:
    return b"\x80\x02" + pairs(text("model"), pairs(text("w"), weights), text("beside"), beside) + b"."


def a_class(*said: bytes) -> bytes:
    """A class as the older format names it."""
    return those(*said) + b"Q"


SOURCE = (text("net.py"), text("import os\nos.system('touch canary')\n"))
OLDER = {
    "a class with its source": (call(a_class(text("module"), OWN, *SOURCE)), READ),
    "a class without source": (call(a_class(text("module"), OWN, b"N", b"N")), READ),
    "a class whose kind is kept in memory": (
        call(a_class(text("module") + put(8), OWN, *SOURCE)) + a_class(get(8), SETTINGS, *SOURCE) + b"\x86",
        READ,
    ),
    "a class that is an attack": (call(a_class(text("module"), name("posix system"), *SOURCE), text("id")), CODE),
    "a class of another kind": (call(a_class(text("storage"), OWN, *SOURCE)), CODE),
    "a class that is a text": (a_class(text("module"), text("os.system"), *SOURCE), OTHER),
    "a class in a class": (a_class(text("module"), a_class(text("module"), OWN, *SOURCE), *SOURCE), CODE),
    "a class with more beside it": (a_class(text("module"), OWN, *SOURCE, b"N"), CODE),
}

for cases, limits in ((BESIDE, False), (BOUNDED, True)):
    for title, (beside, word) in cases.items():
        CHECKPOINTS.add(f"beside weights, {title}", archived(beside), word, limits=limits)
for title, (beside, word) in OLDER.items():
    CHECKPOINTS.add(f"beside weights, old format, {title}", older(beside), word)
