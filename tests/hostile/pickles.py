"""Code in pickles, in every shape that pickles have."""

import importlib
import io
import os
import pickle
import runpy
import shutil
import subprocess
import zipfile
from pathlib import Path

import joblib
import numpy as np
import torch
from torch import nn

from tests.hostile.case import CHECKPOINTS, Canary

WEIGHTS = {"weight": torch.arange(4.0), "bias": torch.ones(1)}
LEGACY = {"_use_new_zipfile_serialization": False}
CODE, NOT_RUN = "a pickle that runs code", "Nothing of it was run"


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __call__(self):
        """Pickle asks for something that can be called; what comes out of this in the end can."""


def unpickle(path: Path):
    """The ordinary way."""
    return pickle.loads(path.read_bytes())  # noqa: S301


def torch_load(path: Path):
    """The ordinary way of years ago."""
    return torch.load(path, weights_only=False)


def system(canary: Canary) -> Calls:
    """The usual payload."""
    return Calls(os.system, canary.command)


def _bare(protocol, payload=system):
    return lambda path, canary: path.write_bytes(pickle.dumps({"weight": payload(canary)}, protocol))


for number in range(6):
    words = (CODE, "posix.system", NOT_RUN) if number > 1 else ("a pickle of protocol 0 or 1",)
    CHECKPOINTS.add(f"pickle, protocol {number}", _bare(number), *words, unsafe=unpickle)

for ending, options in (("zip", {}), ("old format", LEGACY), ("zip, protocol 4", {"pickle_protocol": 4})):
    CHECKPOINTS.add(
        f"torch file with code beside weights, {ending}",
        lambda path, canary, options=options: torch.save({"model": WEIGHTS, "hook": system(canary)}, path, **options),
        CODE,
        "posix.system",
        "safetensors.torch.save_file(model.state_dict()",
        unsafe=torch_load,
    )


def _objects(canary: Canary) -> str:
    path = canary.path.with_name("objects.npy")
    np.save(path, np.array([system(canary)], dtype=object))
    return str(path)


def _script(canary: Canary) -> str:
    path = canary.path.with_name("script.py")
    path.write_text(canary.code)
    return str(path)


# What has been used to get around lists of forbidden names.
PAYLOADS = {
    "builtins.exec": lambda canary: Calls(exec, canary.code),
    "builtins.eval": lambda canary: Calls(eval, f"__import__('os').system({canary.command!r})"),
    "subprocess.Popen": lambda canary: Calls(subprocess.Popen.wait, Calls(subprocess.Popen, ["touch", canary.path])),
    "runpy.run_path": lambda canary: Calls(runpy.run_path, _script(canary)),
    "importlib.import_module": lambda canary: Calls(
        Calls(getattr, Calls(importlib.import_module, "os"), "system"), canary.command
    ),
    "pathlib.Path.touch": lambda canary: Calls(Path.touch, canary.path),
    "numpy.load": lambda canary: Calls(np.load, _objects(canary), None, True),
    "shutil.copyfile": lambda canary: Calls(shutil.copyfile, "/dev/null", str(canary.path)),
}
for title, make in PAYLOADS.items():
    CHECKPOINTS.add(f"pickle that calls {title}", _bare(4, make), CODE, title, unsafe=unpickle)


def text(said: str) -> bytes:
    """A text in a pickle."""
    return b"X" + len(said.encode()).to_bytes(4, "little") + said.encode()


COMPUTED = b"\x8c\x08operator\x8c\x06concat\x93" + text("o") + text("s") + b"\x86R"
FETCHED = text("os") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93"
for title, wrap, words in (
    ("with the opcode inst", lambda c: f"(S{c!r}\nios\nsystem\n.".encode(), ("a pickle of protocol 0 or 1",)),
    ("with the opcode obj", lambda c: b"\x80\x02(cos\nsystem\n" + text(c) + b"o.", (CODE, "os.system")),
    ("whose names are fetched from memory", lambda c: b"\x80\x04" + FETCHED + text(c) + b"\x85R.", (CODE, "os.system")),
    (
        "whose names are computed",
        lambda c: b"\x80\x04" + COMPUTED + text("system") + b"\x93" + text(c) + b"\x85R.",
        (CODE, "put together while it runs"),
    ),
):
    CHECKPOINTS.add(
        f"pickle {title}",
        lambda path, canary, wrap=wrap: path.write_bytes(wrap(canary.command)),
        *words,
        unsafe=unpickle,
    )


def _all_of(path):
    with path.open("rb") as file:
        pickle.load(file)  # noqa: S301
        pickle.load(file)  # noqa: S301


@CHECKPOINTS.case("a file that cannot be read", unsafe=_all_of)
def second_pickle_after_a_harmless_one(path, canary):
    path.write_bytes(pickle.dumps({}, 2) + pickle.dumps(system(canary), 2))


@CHECKPOINTS.case(CODE, "__builtin__.eval", unsafe=torch_load)
def old_format_with_code_before_the_weights(path, canary):
    torch.save(WEIGHTS, path, **LEGACY)
    content = path.read_bytes()
    magic = pickle.dumps(torch.serialization.MAGIC_NUMBER, 2)
    assert content.startswith(magic)
    # The protocol's number follows; this one makes it up.
    chosen = pickle.dumps(Calls(eval, f"[__import__('os').system({canary.command!r}), 1001][1]"), 2)
    path.write_bytes(magic + chosen + content[len(magic) + len(pickle.dumps(1001, 2)) :])


@CHECKPOINTS.case(CODE, "posix.system", unsafe=torch_load)
def code_in_place_of_a_storage(path, canary):
    torch.save(WEIGHTS, path)
    evil = b"cposix\nsystem\n" + text(canary.command) + b"\x85R0"
    swap(path, "data.pkl", lambda content: content.replace(text("storage"), evil + text("storage"), 1))


def swap(path: Path, name: str, change) -> None:
    """Change one entry of a torch file, with checksums that are right."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry.filename, change(content) if entry.filename.endswith(f"/{name}") else content)


def _hooked(canary):
    module = nn.Linear(2, 2)
    module.extra = system(canary)
    return module


for ending, options in (("zip", {}), ("old format", LEGACY)):
    CHECKPOINTS.add(
        f"whole module with a hook, {ending}",
        lambda path, canary, options=options: torch.save(_hooked(canary), path, **options),
        *(CODE, "posix.system"),
        unsafe=torch_load,
    )

CHECKPOINTS.add("module of a script", b"\x80\x02c__main__\nNet\n)\x81}b.", CODE, "__main__.Net")
DILL = b"\x80\x04cdill._dill\n_create_function\n(" + text("import os") + b"tR."
CHECKPOINTS.add("function in dill", DILL, CODE, "dill._dill._create_function")

for title, options, *words in (
    ("plain", {}, CODE, "joblib.numpy_pickle"),
    ("zlib", {"compress": ("zlib", 3)}, "joblib"),
    ("gzip", {"compress": ("gzip", 3)}, "a gzip archive"),
):
    CHECKPOINTS.add(
        f"joblib, {title}",
        lambda path, canary, options=options: joblib.dump({"w": np.ones(3), "x": system(canary)}, path, **options),
        *words,
        unsafe=joblib.load,
    )


def _objects_saved(save):
    def make(path, canary):
        with path.open("wb") as file:
            save(file, w=np.array([system(canary)], dtype=object))

    return make


def numpy_load(path: Path, name: str = "w"):
    """The way that numpy warns of."""
    found = np.load(io.BytesIO(path.read_bytes()), allow_pickle=True)
    return found[name] if isinstance(found, np.lib.npyio.NpzFile) else found


CHECKPOINTS.add(
    "numpy array of objects", _objects_saved(lambda file, w: np.save(file, w)), "a NumPy array", unsafe=numpy_load
)
CHECKPOINTS.add("numpy archive of objects", _objects_saved(np.savez), "NumPy arrays (.npz)", unsafe=numpy_load)
