"""Files of other kinds, and paths that lead elsewhere."""

import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import torch
from torch import nn

from tests.hostile.case import CHECKPOINTS


def _zip(path: Path, *entries: tuple[str, bytes | str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)


def _run(*command):
    return lambda path: subprocess.run([*command, path], check=True)


PYTHON = _run(sys.executable)
for title, content, words, unsafe in (
    ("nothing", b"", ("an empty file",), None),
    ("one byte", b"\x80", ("1 bytes of an unknown kind",), None),
    ("zeros", bytes(2**20), ("1048576 bytes of an unknown kind",), None),
    ("a text", b"these are no weights\n", ("a text file that begins 'these are no weights",), None),
    ("a web page", b"<!DOCTYPE html><html><script>alert(1)</script>", ("a web page", "The download failed"), None),
    ("blank lines that go nowhere", b"\n" * 500 + b"x", ("a text file",), None),
    ("JSON", b'{"weights": [1, 2, 3]}', ("a text file",), None),
    ("a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:", ("git lfs pull",), None),
    ("Keras 2 (HDF5)", b"\x89HDF\r\n\x1a\n" + bytes(600), ("an HDF5 file, as Keras writes", "build the same"), None),
    ("TensorFlow (SavedModel)", b"\x08\x01\x12\xd0\x0f\x0a\x05serve", ("a TensorFlow SavedModel",), None),
    ("TensorFlow Lite", b"\x1c\0\0\0TFL3" + bytes(100), ("a TensorFlow Lite model",), None),
    ("ONNX", b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\xb0\x01" + bytes(50), ("an ONNX model", "build the same"), None),
    ("GGUF", b"GGUF\x03\0\0\0" + bytes(64), ("a GGUF file",), None),
    ("a program for Linux", b"\x7fELF\x02\x01\x01" + bytes(64), ("a program for Linux, which is code",), None),
    ("a program for Windows", b"MZ\x90\0" + bytes(64), ("a program for Windows",), None),
    ("a PNG picture", b"\x89PNG\r\n\x1a\n" + bytes(64), ("a PNG picture", "images with --data"), None),
    ("a JPEG picture", b"\xff\xd8\xff\xe0" + bytes(64), ("a JPEG picture",), None),
    ("a PDF document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + bytes(64), ("a PDF document",), None),
    ("gzip", gzip.compress(b"x" * 1000), ("a gzip archive", "Unpack it"), None),
    ("xz", lzma.compress(b"x" * 1000), ("an xz archive",), None),
    ("bzip2", b"BZh91AY&SY" + bytes(30), ("a bzip2 archive",), None),
    ("7z", b"7z\xbc\xaf\x27\x1c" + bytes(30), ("a 7z archive",), None),
    ("RAR", b"Rar!\x1a\x07\x01\0" + bytes(30), ("a RAR archive",), None),
    ("zstandard", b"\x28\xb5\x2f\xfd" + bytes(30), ("a zstandard archive",), None),
    ("text with terminal escapes", b"\x1b[2J\x1b]0;owned\x07 weights", ("unknown kind",), None),
):
    CHECKPOINTS.add(title, lambda path, canary, content=content: path.write_bytes(content), *words, unsafe=unsafe)


@CHECKPOINTS.case("Python source, which is code", "with --arch", unsafe=PYTHON)
def python_source(path, canary):
    path.write_text(f'"""A network."""\nimport os\n{canary.code}\n')


@CHECKPOINTS.case("a script, which is code", unsafe=_run("sh"))
def shell_script(path, canary):
    path.write_text(f"#!/bin/sh\n{canary.command}\n")


@CHECKPOINTS.case("a zip archive that holds __main__.py", unsafe=PYTHON)
def zip_that_python_runs(path, canary):
    _zip(path, ("__main__.py", canary.code))


@CHECKPOINTS.case("a TorchScript program, which is code")
def torchscript(path, canary):
    torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(str(path))


for title, entries, words in (
    ("exported program (pt2)", (("m/archive_format", "pt2"), ("m/models/model.json", "{}")), ("an exported program",)),
    ("exported program (older)", (("serialized_exported_program.json", "{}"),), ("an exported program",)),
    ("torch.package", (("m/.data/extern_modules", "os"), ("m/net.py", "import os")), ("a torch.package",)),
    ("Keras 3", (("config.json", '{"class_name": "Lambda"}'), ("model.weights.h5", "")), ("a Keras model",)),
    ("TensorFlow, packed", (("m/saved_model.pb", "x"),), ("a TensorFlow SavedModel",)),
    ("NumPy arrays", (("w.npy", "x"),), ("NumPy arrays (.npz)", "images with --data")),
    ("a zip of anything", (("notes/read.txt", "x"),), ("a zip archive that holds notes/read.txt",)),
    ("an empty zip", (), ("unknown kind",)),
    ("a zip with an escape in a name", (("\x1b[2Jx", "x"),), (r"holds \x1b[2Jx",)),
):
    CHECKPOINTS.add(title, lambda path, canary, entries=entries: _zip(path, *entries), *words)


@CHECKPOINTS.case("a tar archive, as very old torch versions wrote", "a torch of today")
def torch_file_of_2016(path, canary):
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))


@CHECKPOINTS.case("No such file")
def missing_file(path, canary):
    """Nothing is there."""


@CHECKPOINTS.case("a folder")
def folder(path, canary):
    path.mkdir()


@CHECKPOINTS.case("a device or pipe")
def pipe(path, canary):
    os.mkfifo(path)


@CHECKPOINTS.case("a device or pipe")
def link_to_a_device_without_end(path, canary):
    path.symlink_to("/dev/zero")


@CHECKPOINTS.case("Too many levels of symbolic links")
def link_to_itself(path, canary):
    path.symlink_to(path.name)


@CHECKPOINTS.case("No such file")
def link_to_nothing(path, canary):
    path.symlink_to("nothing")


@CHECKPOINTS.case("a text file that begins")
def link_to_a_file_of_the_system(path, canary):
    path.symlink_to("/etc/passwd")


@CHECKPOINTS.case("a checkpoint of at most 4 GiB")
def file_of_five_gigabytes(path, canary):
    with path.open("wb") as file:
        file.truncate(5 * 2**30)
