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


@CHECKPOINTS.case("a pickle of protocol 0 or 1", unsafe=unpickle)
def pickle_with_the_opcode_inst(path, canary):
    path.write_bytes(f"(S{canary.command!r}\nios\nsystem\n.".encode())


@CHECKPOINTS.case(CODE, "os.system", unsafe=unpickle)
def pickle_with_the_opcode_obj(path, canary):
    path.write_bytes(b"\x80\x02(cos\nsystem\n" + text(canary.command) + b"o.")


@CHECKPOINTS.case(CODE, "os.system", unsafe=unpickle)
def pickle_whose_names_are_fetched_from_memory(path, canary):
    path.write_bytes(
        b"\x80\x04" + text("os") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93" + text(canary.command) + b"\x85R."
    )


@CHECKPOINTS.case(CODE, "put together while it runs", unsafe=unpickle)
def pickle_whose_names_are_computed(path, canary):
    joined = b"\x8c\x08operator\x8c\x06concat\x93" + text("o") + text("s") + b"\x86R"
    path.write_bytes(b"\x80\x04" + joined + text("system") + b"\x93" + text(canary.command) + b"\x85R.")


@CHECKPOINTS.case("a file that cannot be read", unsafe=lambda path: _all_of(path))
def second_pickle_after_a_harmless_one(path, canary):
    path.write_bytes(pickle.dumps({}, 2) + pickle.dumps(system(canary), 2))


def _all_of(path):
    with path.open("rb") as file:
        pickle.load(file)  # noqa: S301
        pickle.load(file)  # noqa: S301


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
    swap(path, "data.pkl", lambda content: content.replace(b"X\x07\x00\x00\x00storage", _evil(canary), 1))


def _evil(canary):
    return b"cposix\nsystem\n" + text(canary.command) + b"\x85R0X\x07\x00\x00\x00storage"


def text(said: str) -> bytes:
    return b"X" + len(said.encode()).to_bytes(4, "little") + said.encode()


def swap(path: Path, name: str, change) -> None:
    """Change one entry of a torch file, with checksums that are right."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry.filename, change(content) if entry.filename.endswith(f"/{name}") else content)


for ending, options in (("zip", {}), ("old format", LEGACY)):
    CHECKPOINTS.add(
        f"whole module, {ending}",
        lambda path, canary, options=options: torch.save(nn.Sequential(nn.Linear(2, 2)), path, **options),
        "a whole pickled model, which is code",
        "torch.nn.modules.linear.Linear",
    )
    CHECKPOINTS.add(
        f"whole module with a hook, {ending}",
        lambda path, canary, options=options: torch.save(_hooked(canary), path, **options),
        "a whole pickled model, which is code",
        "posix.system",
        unsafe=torch_load,
    )


def _hooked(canary):
    module = nn.Linear(2, 2)
    module.extra = system(canary)
    return module


@CHECKPOINTS.case("a whole pickled model", "__main__.Net", unsafe=None)
def module_of_a_script(path, canary):
    path.write_bytes(b"\x80\x02c__main__\nNet\n)\x81}b.")


for title, options in (("plain", {}), ("zlib", {"compress": ("zlib", 3)}), ("gzip", {"compress": ("gzip", 3)})):
    words = {"plain": (CODE, "joblib.numpy_pickle"), "zlib": ("joblib",), "gzip": ("a gzip archive",)}[title]
    CHECKPOINTS.add(
        f"joblib, {title}",
        lambda path, canary, options=options: joblib.dump({"w": np.ones(3), "x": system(canary)}, path, **options),
        *words,
        unsafe=joblib.load,
    )


@CHECKPOINTS.case(CODE, "dill._dill._create_function")
def function_in_dill(path, canary):
    path.write_bytes(b"\x80\x04cdill._dill\n_create_function\n(" + text(canary.code) + b"tR.")


@CHECKPOINTS.case("a NumPy array", unsafe=lambda path: np.load(path, allow_pickle=True))
def numpy_array_of_objects(path, canary):
    with path.open("wb") as file:
        np.save(file, np.array([system(canary)], dtype=object))


@CHECKPOINTS.case(
    "NumPy arrays (.npz)", unsafe=lambda path: np.load(io.BytesIO(path.read_bytes()), allow_pickle=True)["w"]
)
def numpy_archive_of_objects(path, canary):
    with path.open("wb") as file:
        np.savez(file, w=np.array([system(canary)], dtype=object))
