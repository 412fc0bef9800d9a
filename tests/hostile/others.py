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


for title, content, words in (
    ("nothing", b"", ("an empty file",)),
    ("one byte", b"\x80", ("1 bytes of an unknown kind",)),
    ("zeros", bytes(2**20), ("1048576 bytes of an unknown kind",)),
    ("a text", b"these are no weights\n", ("a text file that begins 'these are no weights",)),
    ("a web page", b"<!DOCTYPE html><html><script>alert(1)</script>", ("a web page", "The download failed")),
    ("blank lines that go nowhere", b"\n" * 500 + b"x", ("a text file",)),
    ("JSON", b'{"weights": [1, 2, 3]}', ("a text file",)),
    ("a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:", ("git lfs pull",)),
    ("Keras 2 (HDF5)", b"\x89HDF\r\n\x1a\n" + bytes(600), ("an HDF5 file, as Keras writes", "build the same")),
    ("TensorFlow (SavedModel)", b"\x08\x01\x12\xd0\x0f\x0a\x05serve", ("a TensorFlow SavedModel",)),
    ("TensorFlow Lite", b"\x1c\0\0\0TFL3" + bytes(100), ("a TensorFlow Lite model",)),
    ("ONNX", b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\xb0\x01" + bytes(50), ("an ONNX model", "build the same")),
    ("GGUF", b"GGUF\x03\0\0\0" + bytes(64), ("a GGUF file",)),
    ("a program for Linux", b"\x7fELF\x02\x01\x01" + bytes(64), ("a program for Linux, which is code",)),
    ("a program for Windows", b"MZ\x90\0" + bytes(64), ("a program for Windows",)),
    ("a PNG picture", b"\x89PNG\r\n\x1a\n" + bytes(64), ("a PNG picture", "images with --data")),
    ("a JPEG picture", b"\xff\xd8\xff\xe0" + bytes(64), ("a JPEG picture",)),
    ("a PDF document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + bytes(64), ("a PDF document",)),
    ("gzip", gzip.compress(b"x" * 1000), ("a gzip archive", "Unpack it")),
    ("xz", lzma.compress(b"x" * 1000), ("an xz archive",)),
    ("bzip2", b"BZh91AY&SY" + bytes(30), ("a bzip2 archive",)),
    ("7z", b"7z\xbc\xaf\x27\x1c" + bytes(30), ("a 7z archive",)),
    ("RAR", b"Rar!\x1a\x07\x01\0" + bytes(30), ("a RAR archive",)),
    ("zstandard", b"\x28\xb5\x2f\xfd" + bytes(30), ("a zstandard archive",)),
    ("text with terminal escapes", b"\x1b[2J\x1b]0;owned\x07 weights", ("unknown kind",)),
):
    CHECKPOINTS.add(title, content, *words)


for title, make, words, run in (
    (
        "Python source",
        lambda path, canary: path.write_text(f'"""A network."""\nimport os\n{canary.code}\n'),
        ("Python source, which is code", "with --arch"),
        sys.executable,
    ),
    (
        "shell script",
        lambda path, canary: path.write_text(f"#!/bin/sh\n{canary.command}\n"),
        ("a script, which is code",),
        "sh",
    ),
    (
        "zip that Python runs",
        lambda path, canary: _zip(path, ("__main__.py", canary.code)),
        ("a zip archive that holds __main__.py",),
        sys.executable,
    ),
):
    CHECKPOINTS.add(title, make, *words, unsafe=lambda path, run=run: subprocess.run([run, path], check=True))


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
    CHECKPOINTS.add(title, lambda path, _, entries=entries: _zip(path, *entries), *words)


@CHECKPOINTS.case("a tar archive, as very old torch versions wrote", "a torch of today")
def torch_file_of_2016(path, canary):
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))


for title, make, word in (
    ("missing file", lambda path, _: None, "No such file"),
    ("folder", lambda path, _: path.mkdir(), "a folder"),
    ("pipe", lambda path, _: os.mkfifo(path), "a device or pipe"),
    ("link to a device without end", lambda path, _: path.symlink_to("/dev/zero"), "a device or pipe"),
    ("link to itself", lambda path, _: path.symlink_to(path.name), "Too many levels of symbolic links"),
    ("link to nothing", lambda path, _: path.symlink_to("nothing"), "No such file"),
    ("link to a file of the system", lambda path, _: path.symlink_to("/etc/passwd"), "a text file that begins"),
):
    CHECKPOINTS.add(title, make, word)


@CHECKPOINTS.case("a checkpoint of at most 4 GiB")
def file_of_five_gigabytes(path, canary):
    with path.open("wb") as file:
        file.truncate(5 * 2**30)
