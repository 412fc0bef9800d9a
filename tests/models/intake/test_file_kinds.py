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

UNKNOWN = "1000 bytes of an unknown kind"


def what(head):
    return describe(head, 1000).what


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
    ],
)
def test_each_kind_has_advice_of_its_own(head, advice):
    assert describe(head, 1000).advice == advice


@pytest.mark.parametrize("level", [1, 3, 6, 9])
def test_joblib_is_known_at_every_strength_of_its_compression(level):
    assert what(zlib.compress(b"x", level)) == "zlib data, as joblib writes"


def test_a_mark_must_be_whole():
    assert what(b"version https://git-lfs") == "a Git LFS pointer, not the file it points to"
    assert what(b"version https://git-lf") == "a text file that begins 'version https://git-lf'"


def test_marks_that_stand_later_are_looked_for_in_their_place():
    assert what(bytes(257) + b"ustar") == "a tar archive, as very old torch versions wrote"
    assert what(bytes(256) + b"ustar") == what(bytes(258) + b"ustar") == UNKNOWN
    assert what(bytes(4) + b"TFL3") == "a TensorFlow Lite model"
    assert what(bytes(3) + b"TFL3") == what(bytes(5) + b"TFL3") == UNKNOWN


@pytest.mark.parametrize(("version", "kind"), [(2, "an ONNX model"), (32, "an ONNX model"), (33, UNKNOWN)])
def test_onnx_has_versions_up_to_thirty_two(version, kind):
    assert what(bytes([8, version, 0x12]) + b"\7pytorch\x1a") == kind


@pytest.mark.parametrize(("length", "kind"), [(0, UNKNOWN), (1, "an ONNX model"), (64, "an ONNX model"), (65, UNKNOWN)])
def test_the_maker_of_an_onnx_model_has_a_name_of_bounded_length(length, kind):
    # Among its bytes may be a line break, which the length of a name of ten letters is.
    assert what(b"\x08\x08\x12" + b"\n" * length + b"\x1a") == kind


@pytest.mark.parametrize("page", ["<!DOCTYPE HTML>", " \n<html lang='en'>", "<Head>"])
def test_a_web_page_is_known_in_any_letters(page):
    assert what(page.encode()) == f"a web page: {page!r}"


@pytest.mark.parametrize(
    "source",
    ["import os", "from a.b import c", "def f(x):", "class A:", "# A note.\n\nimport os", '"""A\nnote."""\nimport os'],
)
def test_python_source_is_known_behind_notes(source):
    found = describe(source.encode(), len(source))
    assert found.what == f"Python source, which is code: {source!r}"
    assert found.advice.startswith("Give the weights")


@pytest.mark.parametrize(
    "text", ["imports", "from here on", "default", "classes", "#", "a #! b", "Import it", "Class names"]
)
def test_words_like_those_of_code_are_a_text(text):
    assert what(text.encode()) == f"a text file that begins {text!r}"


def test_forty_letters_of_a_text_are_quoted():
    assert what(b"a" * 39 + b"bc") == f"a text file that begins '{'a' * 39}b'"
    assert what(b"#!" + b"a" * 50) == f"a script, which is code: '#!{'a' * 38}'"


def test_a_character_may_be_cut_where_the_beginning_of_a_longer_file_ends():
    head = "five €".encode()[:-1]
    assert as_text(head, len(head) + 1) == "five "
    assert as_text(head, len(head)) is None
    assert as_text(b"\xff" * 512, 600) is None


def test_a_text_has_spaces_of_all_kinds_and_no_control_characters():
    assert as_text(b"a\tb\r\n\x0c", 6) == "a\tb\r\n\x0c"
    assert as_text(b"a\x1b[2J", 5) is None
    assert as_text("a\u202eb".encode(), 5) is None


@pytest.mark.parametrize("names", [["archive/data.pkl", "archive/version"], ["data.pkl"], ["a/data.pkl", "a/w.npy"]])
def test_an_archive_with_a_pickle_of_data_may_be_torchs(names):
    assert describe_archive(names) is None


def test_code_beside_a_pickle_of_data_is_what_counts():
    found = describe_archive(["a/data.pkl", "a/constants.pkl"])
    assert found == Foreign("a TorchScript program, which is code", SAVE_PLAINLY)


def test_an_archive_is_known_by_what_lies_at_most_one_folder_deep():
    assert describe_archive(["saved_model.pb"]) == describe_archive(["a/saved_model.pb"])
    assert describe_archive(["a/b/saved_model.pb"]).what == "a zip archive that holds a/b/saved_model.pb"
    assert describe_archive(["a/b/data.pkl"]).what == "a zip archive that holds a/b/data.pkl"


def test_three_entries_of_an_unknown_archive_are_named():
    assert describe_archive(list("abcd")) == Foreign("a zip archive that holds a, b, c", UNPACK)
    assert describe_archive([]) == Foreign("a zip archive that holds nothing", UNPACK)
