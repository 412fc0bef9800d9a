"""Keys: equal for what is the same, and different for all that results depend on."""

import hashlib
from types import SimpleNamespace

import pytest

from aegis.store.keys import key_of, model_part


def test_other_code_makes_other_keys(monkeypatch):
    before = key_of("gather", 1)
    monkeypatch.setattr("aegis.store.keys.code_digest", lambda: "0" * 64)
    assert key_of("gather", 1) != before


@pytest.mark.parametrize(("one", "other", "same"), [(3, 3.0, True), (2**60, 2**60 + 1, False), (3, "3", False)])
def test_equal_numbers_make_equal_keys(one, other, same):
    assert (key_of({"a": one}) == key_of({"a": other})) is same


def test_a_model_is_told_by_its_file_unless_its_code_is_the_users(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"as it lies there")
    suspect = SimpleNamespace(sha256="as it was read", digest="as it answers")
    lies = hashlib.sha256(path.read_bytes()).hexdigest()
    assert model_part(path, None, None, "0.5", None) == (lies, "0.5", None)
    assert model_part(path, suspect, None, "0.5", None) == ("as it was read", "0.5", None)
    assert model_part(path, suspect, "mine:build", "0.5", None) == "as it answers"
