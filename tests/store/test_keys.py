"""Keys: equal for what is the same, and different for all that results depend on."""

import hashlib
from types import SimpleNamespace

import pytest

from aegis.records.config import AssessConfig
from aegis.store.keys import EARLY_CODE, StepKeys, key_of, model_part


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


def test_rankings_depend_on_the_steps_and_on_their_own_code_each_by_itself(monkeypatch):
    """A source that computes the same as an earlier one keeps the steps' digest, and with it the rankings."""
    digests = {False: "of the steps", True: "of the ranking"}
    monkeypatch.setattr("aegis.store.keys.code_digest", lambda code: digests[code == EARLY_CODE])

    def keys():
        steps = StepKeys("model", "images", "cpu", "fp32")
        return steps.look(AssessConfig()), steps.screen()

    before = keys()
    assert len(set(before)) == 2
    for changed in digests:
        with monkeypatch.context() as patch:
            patch.setitem(digests, changed, "another")
            assert not set(keys()) & set(before)
