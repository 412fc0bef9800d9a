"""Keys: equal for what is the same, and different for all that results depend on."""

import pytest

from aegis.keys import key_of


def test_other_code_makes_other_keys(monkeypatch):
    before = key_of("gather", 1)
    monkeypatch.setattr("aegis.keys.code_digest", lambda: "0" * 64)
    assert key_of("gather", 1) != before


@pytest.mark.parametrize(("one", "other", "same"), [(3, 3.0, True), (2**60, 2**60 + 1, False), (3, "3", False)])
def test_equal_numbers_make_equal_keys(one, other, same):
    assert (key_of({"a": one}) == key_of({"a": other})) is same
