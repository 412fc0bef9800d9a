"""Files of other kinds at the edges of what they are told by."""

import zlib

import pytest

from aegis.models.intake.file_kinds import (
    FETCH_AGAIN,
    NOT_A_MODEL,
    REBUILD,
    SAVE_PLAINLY,
    UNPACK,
    Foreign,
    as_text,
    describe,
    describe_archive,
)

WEIGHTS = "Give the weights, and name the code that builds the network with --arch."
UNKNOWN = "1000 bytes of an unknown kind"


JOBLIB, ONNX, TENSORFLOW_LITE = "zlib data, as joblib writes", "an ONNX model", "a TensorFlow Lite model"


@pytest.mark.parametrize(
    ("head", "advice"),
    [
        (b"\x08\x01\x12\0", REBUILD),
        (b"\0\0\0\0TFL3", REBUILD),
        (b"Rar!", UNPACK),
        (b"GIF89a", NOT_A_MODEL),
        (b"\x93NUMPY", SAVE_PLAINLY),
        (b"\x7fELF", SAVE_PLAINLY),
        (b"(lp0\ncos\nsystem\n", SAVE_PLAINLY),
        (b"\xff\0", SAVE_PLAINLY),
        (b"<head>", FETCH_AGAIN),
        (b"import os", WEIGHTS),
    ],
)
def test_each_kind_has_advice_of_its_own(head, advice):
    assert describe(head, 1000).advice == advice


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        *((zlib.compress(b"x", level), JOBLIB) for level in (1, 3, 6, 9)),
        (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
        (b"version https://git-lf", "a text file that begins 'version https://git-lf'"),
        (b"sys_info".ljust(257, b"\0") + b"ustar", "a tar archive, as very old torch versions wrote"),
        (b"./model.pt".ljust(257, b"\0") + b"ustar", "a tar archive that begins with model.pt"),
        (b'{"weight_map": {}}', "the index of a network in several files: '{\"weight_map\": {}}'"),
        (b'{"architectures": []}', "the configuration of a release: '{\"architectures\": []}'"),
        *((bytes(zeros) + b"ustar", UNKNOWN) for zeros in (256, 258)),
        (bytes(4) + b"TFL3", TENSORFLOW_LITE),
        *((bytes(zeros) + b"TFL3", UNKNOWN) for zeros in (3, 5)),
        *((bytes([8, n, 0x12]) + b"\7pytorch\x1a", kind) for n, kind in ((2, ONNX), (32, ONNX), (33, UNKNOWN))),
        # Among the bytes of the maker's name may be a line break, which the length of a name of ten letters is.
        *((b"\x08\x08\x12" + b"\n" * length + b"\x1a", ONNX) for length in (1, 64)),
        *((b"\x08\x08\x12" + b"\n" * length + b"\x1a", UNKNOWN) for length in (0, 65)),
        (b"a" * 39 + b"bc", f"a text file that begins '{'a' * 39}b'"),
        (b"#!" + b"a" * 50, f"a script, which is code: '#!{'a' * 38}'"),
    ],
)
def test_marks_must_be_whole_and_in_their_place(head, kind):
    assert describe(head, 1000).what == kind


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("a web page:", ["<!DOCTYPE HTML>", " \n<html lang='en'>", "<Head>"]),
        ("Python source, which is code:", ["import os", "from a.b import c", "def f(x):", "class A:"]),
        ("Python source, which is code:", ["# A note.\n\nimport os", '"""A\nnote."""\nimport os']),
        ("a text file that begins", ["imports", "from here on", "default", "classes", "#", "a #! b"]),
        ("a text file that begins", ["Import it", "Class names"]),
    ],
)
def test_texts_are_told_apart(kind, texts):
    for text in texts:
        assert describe(text.encode(), len(text)).what == f"{kind} {text!r}"


def test_a_text_has_spaces_of_all_kinds_and_no_control_characters():
    assert as_text(b"a\tb\r\n\x0c", 6) == "a\tb\r\n\x0c"
    assert as_text(b"a\x1b[2J", 5) is None
    assert as_text("a\u202eb".encode(), 5) is None
    # A character may be cut where the beginning of a longer file ends.
    head = "five €".encode()[:-1]
    assert as_text(head, len(head) + 1) == "five "
    assert as_text(head, len(head)) is None
    assert as_text(b"\xff" * 512, 600) is None


def test_an_archive_with_a_pickle_of_data_and_no_code_beside_it_may_be_torchs():
    for names in (["archive/data.pkl", "archive/version"], ["data.pkl"], ["a/data.pkl", "a/w.npy"]):
        assert describe_archive(names) is None
    found = describe_archive(["a/data.pkl", "a/constants.pkl"])
    assert found == Foreign("a TorchScript program, which is code", SAVE_PLAINLY)


def test_an_archive_is_known_by_what_lies_at_most_one_folder_deep():
    assert describe_archive(["saved_model.pb"]) == describe_archive(["a/saved_model.pb"])
    assert describe_archive(["a/b/saved_model.pb"]).what == "a zip archive that holds a/b/saved_model.pb"
    assert describe_archive(["a/b/data.pkl"]).what == "a zip archive that holds a/b/data.pkl"
    # Three entries of an unknown one are named.
    assert describe_archive(list("abcd")) == Foreign("a zip archive that holds a, b, c", UNPACK)
    assert describe_archive([]) == Foreign("a zip archive that holds nothing", UNPACK)
