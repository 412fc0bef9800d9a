"""What is read off a pickle's opcodes, none of which is run."""

import pickle
from fractions import Fraction

import pytest

from aegis.models.intake.pickles import MAX_LETTERS, UNNAMED, globals_in, is_pickle
from tests.hostile.pickles import text

IMPORT = b"\x80\x02cos\nsystem\n."


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_imports_is_found_in_every_protocol(protocol):
    assert globals_in(pickle.dumps({"w": Fraction(1, 2)}, protocol)) == {"fractions.Fraction"}


def test_names_inside_classes_are_whole():
    assert globals_in(b"cpathlib\nPath.touch\n.") == {"pathlib.Path.touch"}
    assert globals_in(b"(ipathlib\nPath.touch\n.") == {"pathlib.Path.touch"}


@pytest.mark.parametrize(
    "module",
    [b"Vos\n", b"X\2\0\0\0os", b"\x8c\2os", b"\x8d\2\0\0\0\0\0\0\0os", b"S'os'\n", b"T\2\0\0\0os", b"U\2os"],
    ids=lambda content: content[:1].hex(),
)
def test_every_way_to_write_a_text_may_name_a_module(module):
    assert globals_in(module + text("system") + b"\x93.") == {"os.system"}


@pytest.mark.parametrize(
    ("put", "get"),
    [(b"p0\n", b"g0\n"), (b"q\0", b"h\0"), (b"r\0\0\0\0", b"j\0\0\0\0"), (b"\x94", b"h\0")],
    ids=["text", "byte", "four bytes", "in turn"],
)
def test_names_put_aside_are_remembered(put, get):
    assert globals_in(text("os") + put + b"N" + get + text("system") + b"\x93.") == {"os.system"}


@pytest.mark.parametrize("module", [b"N", b"K\1", b"h\7", text("os") + b"q\0K\1q\0h\0"])
def test_a_name_that_is_no_text_is_said_to_be_put_together(module):
    assert globals_in(module + text("system") + b"\x93.") == {UNNAMED}


def test_all_pickles_in_a_row_are_read_up_to_the_first_damage():
    other = IMPORT.replace(b"os", b"my")
    assert globals_in(IMPORT + other + b"\xff" + IMPORT.replace(b"os", b"no")) == {"os.system", "my.system"}


def test_names_before_damage_in_the_same_pickle_are_kept():
    assert globals_in(IMPORT[:-1] + b"\xff") == {"os.system"}


@pytest.mark.parametrize("content", [b"", b"\xff", pickle.dumps({"w": ["os", "system", 1.5, None]})])
def test_what_imports_nothing_has_no_names(content):
    assert globals_in(content) == set()


@pytest.mark.parametrize(("count", "found"), [(999, 999), (1000, 1000), (1001, 1000)])
def test_no_pickle_is_read_after_a_thousand_names(count, found):
    run = b"".join(b"\x80\x02cm\nn%d\n." % number for number in range(count))
    assert len(globals_in(run)) == found
    assert len(globals_in(run.replace(b".\x80\x02", b"0"))) == found


def test_names_are_kept_short_however_long_their_texts_are():
    long = b"\x8d" + (10_000).to_bytes(8, "little")
    (name,) = globals_in(b"\x80\x04" + long + b"a" * 10_000 + long + b"b" * 10_000 + b"\x93.")
    assert name == "a" * MAX_LETTERS


@pytest.mark.parametrize("protocol", [0, 1])
def test_a_pickle_without_a_mark_is_known_by_its_end(protocol):
    content = pickle.dumps({"w": [1, 2]}, protocol)
    assert is_pickle(content, len(content))
    assert not is_pickle(content, len(content) + 1)
    assert not is_pickle(content[:-1], len(content) - 1)


def test_one_value_and_an_end_are_too_little_to_be_called_a_pickle():
    assert not is_pickle(b"N.", 2)
    assert is_pickle(b"(l.", 3)


def test_a_long_pickle_is_known_by_what_it_imports():
    assert is_pickle(pickle.dumps(Fraction(1, 2), 0)[:40], 10**6)
    assert not is_pickle(pickle.dumps(["w"] * 1000, 0)[:40], 10**6)


@pytest.mark.parametrize("words", [b"cat\ndog\nbird\n", b"cat\ndog\n", b"imagenet\nclasses\n", b"in\nout\n"])
def test_a_list_of_words_is_no_pickle(words):
    assert not is_pickle(words, len(words))
    assert not is_pickle(words, 1000)


@pytest.mark.parametrize("after", [b"p0\n", b"q\x00", b"(", b")", b"S'x'\n", b"."])
def test_an_import_is_followed_by_what_is_done_with_it(after):
    assert is_pickle(b"cos\nsystem\n" + after, 1000)


@pytest.mark.parametrize(
    ("head", "whether"),
    [
        (b"c_my.part2\n_Net.of\n(", True),
        (b"(ios\nsystem\n", True),
        (b"c2os\nsystem\n(", False),
        (b"cos\n2system\n(", False),
        (b"co-s\nsystem\n(", False),
        (b"cos\nsystem it is\n(", False),
        (b"cos\n\n(", False),
    ],
)
def test_an_import_has_names_as_python_allows_them(head, whether):
    assert is_pickle(head, 1000) is whether
