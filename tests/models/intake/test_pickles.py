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


@pytest.mark.parametrize(
    ("module", "name"),
    [
        # Every way to write a text.
        *((b"Vos\n", "os.system"), (b"X\2\0\0\0os", "os.system"), (b"\x8c\2os", "os.system")),
        *((b"\x8d\2\0\0\0\0\0\0\0os", "os.system"), (b"S'os'\n", "os.system"), (b"T\2\0\0\0os", "os.system")),
        (b"U\2os", "os.system"),
        # Every way to put it aside and to fetch it.
        *((text("os") + b"p0\nNg0\n", "os.system"), (text("os") + b"q\0Nh\0", "os.system")),
        *((text("os") + b"r\0\0\0\0Nj\0\0\0\0", "os.system"), (text("os") + b"\x94Nh\0", "os.system")),
        # No text.
        *((b"N", UNNAMED), (b"K\1", UNNAMED), (b"h\7", UNNAMED), (text("os") + b"q\0K\1q\0h\0", UNNAMED)),
    ],
)
def test_a_module_may_be_named_in_many_ways(module, name):
    assert globals_in(module + text("system") + b"\x93.") == {name}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"cpathlib\nPath.touch\n.", {"pathlib.Path.touch"}),
        (b"(ipathlib\nPath.touch\n.", {"pathlib.Path.touch"}),
        # All pickles in a row, up to the first damage.
        (IMPORT + b"\x80\2cmy\nsystem\n.\xff\x80\2cno\nsystem\n.", {"os.system", "my.system"}),
        (IMPORT[:-1] + b"\xff", {"os.system"}),
        (b"", set()),
        (b"\xff", set()),
        (pickle.dumps({"w": ["os", "system", 1.5, None]}), set()),
    ],
)
def test_all_whole_names_are_found_and_no_others(content, names):
    assert globals_in(content) == names


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


@pytest.mark.parametrize("words", [b"cat\ndog\nbird\n", b"cat\ndog\n", b"imagenet\nclasses\n", b"in\nout\n"])
def test_a_list_of_words_is_no_pickle(words):
    assert not is_pickle(words, len(words))
    assert not is_pickle(words, 1000)


@pytest.mark.parametrize(
    ("head", "whether"),
    [
        (pickle.dumps(Fraction(1, 2), 0)[:40], True),
        (pickle.dumps(["w"] * 1000, 0)[:40], False),
        # An import is followed by what is done with it,
        *((b"cos\nsystem\n" + after, True) for after in (b"p0\n", b"q\x00", b"(", b")", b"S'x'\n", b".")),
        # and has names as Python allows them.
        (b"c_my.part2\n_Net.of\n(", True),
        (b"(ios\nsystem\n", True),
        *((b"c%b\n(" % name, False) for name in (b"2os\nsystem", b"os\n2system", b"o-s\nsystem", b"os\nsystem it is")),
        (b"cos\n\n(", False),
    ],
)
def test_a_long_pickle_is_known_by_what_it_imports(head, whether):
    assert is_pickle(head, 10**6) is whether
