"""Classes that torch's older format names by persistent ids are given by calls, and nothing else is changed."""

import pickle

import pytest

from aegis.models.intake.class_ids import CLASS_OF, class_of, with_calls
from tests.hostile.inert import FLOATS, OLDER, OWN, SOURCE, call, older, storage
from tests.hostile.pickles import text

GIVEN = call(b"caegis\nclass_of\n", text("module"), OWN, *SOURCE)


def test_an_id_becomes_a_call_of_the_same_values():
    beside = OLDER["a class with its source"][0]
    changed = with_calls(older(beside))
    assert changed == older(call(GIVEN))
    assert with_calls(changed) == changed


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\x80\x02", b"Q", b"\x80\x02Q.", storage()),
        older(storage(FLOATS)),
        older(OLDER["a class with more beside it"][0]),
        older(text("module")) + b"(" + b"N" * 4 + b"tQ",
    ],
)
def test_all_else_stays_as_it_is(content):
    assert with_calls(content) == content


def test_only_ids_of_classes_give_one():
    assert class_of("module", int, None, None) is int
    assert class_of(b"module", CLASS_OF, "f", "x") == CLASS_OF
    for said in ((), ("module", int), ("storage", int, None, None), ("module", int, None, None, None)):
        with pytest.raises(pickle.UnpicklingError):
            class_of(*said)
