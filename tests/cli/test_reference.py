"""``aegis reference``: what is asked for reaches the making of references, and its outcome is told."""

import pytest

from aegis.core.runtime import Event
from aegis.services import references as service
from tests.records.test_references import KNOWN

from .conftest import run


@pytest.fixture
def asked(monkeypatch):
    """What references were asked for; two models are made at once."""
    calls = []

    def make(plan, jobs, report, executor):
        assert executor is None
        calls.append((plan.source, plan.models, plan.device, jobs))
        report(Event(stage="references", step=1, total=2))
        return KNOWN

    monkeypatch.setattr(service, "make_references", make)
    return calls


def test_what_was_made_is_told(asked):
    outcome = run("reference", "samples:mnist", "--models", "3", "--jobs", "2", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    assert asked == [("samples:mnist", 3, "cpu", 2)]
    assert outcome.out.startswith("2 reference models of samples:mnist, accuracy 90%, 90%, in ")


def test_a_data_set_that_is_not_there_is_one_message(asked):
    outcome = run("reference", "nothing")
    assert (outcome.code, outcome.out, asked) == (2, "", [])
    assert "got 'nothing'" in outcome.err
