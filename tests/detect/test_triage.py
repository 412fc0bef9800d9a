"""The likeliest classes are examined first, until one is flagged or time is over, and what is left out is told."""

from dataclasses import replace

import pytest

from aegis.core.errors import ConfigError
from aegis.core.runtime import Event
from aegis.core.types import Applicability
from aegis.detect import triage as module
from aegis.detect.scan import STEPS
from aegis.detect.screen import relative_sizes
from aegis.detect.triage import COMPARED, triage
from aegis.detect.verdict import judge_again
from aegis.records.config import Triage
from aegis.records.record import ScanRecord, TriageRecord, config_of
from tests.detect.toy import NAMES, ONE, SMALL, TARGET


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when somebody adds to them."""
    passed = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: passed[0])
    return passed


def steps_of(result, clock=None, spend=0.0, examined=None, **changes):
    """Steps that find what a scan found, and take as long as they are told to."""

    def gather(classifier, data, label, config, *, report):
        if clock is not None:
            clock[0] += spend
            report(Event(stage="search", label=label, step=1, total=1))
        if examined is not None:
            examined.append(label)
        return result.classes[label].finding.evidence

    def embed(evidence, config, *, report):
        return result.classes[evidence.label].finding.embeddings

    given = {"assess": lambda *_, report: result.applicability, "gather": gather, "embed": embed}
    return replace(STEPS, **(given | changes))


def test_the_target_comes_first_and_ends_the_triage_once_others_are_beside_it(infected, data, scans):
    examined = []
    found = triage(infected, data, SMALL, runtime=ONE, steps=steps_of(scans.infected, examined=examined))
    assert found.triage.order[0] == TARGET
    assert examined == list(found.triage.order[:COMPARED])
    assert (found.verdict, found.flagged_classes, found.labels) == ("infected", (TARGET,), None)


def test_a_triage_of_all_classes_says_what_a_scan_says(clean, data, scans):
    found = triage(clean, data, SMALL, runtime=ONE, steps=steps_of(scans.clean))
    assert found.verdict == "clean"
    assert [one.record.label for one in found.classes] == list(found.triage.order)
    assert sorted((one.record for one in found.classes), key=lambda one: one.label) == [
        one.record for one in scans.clean.classes
    ]


def test_a_class_that_time_runs_out_on_is_not_examined_and_the_rest_is_told(clean, data, scans, clock):
    steps = steps_of(scans.clean, clock, spend=6.0)
    found = triage(clean, data, SMALL, Triage(budget=10.0), runtime=ONE, steps=steps)
    order = found.triage.order
    assert [one.record.label for one in found.classes] == [order[0]]
    assert found.verdict == "inconclusive"
    named = ", ".join(f"class {label} ({NAMES[label]})" for label in order[1:])
    said = f"nothing was found in the 1 class examined, the likeliest of 4. Next come {named}"
    assert found.sentence == f"Inconclusive: {said}."
    record = found.record("model.safetensors")
    again = ScanRecord.model_validate_json(record.to_json())
    assert again == record
    assert again.triage == TriageRecord(sizes=found.triage.sizes, budget=10.0)
    assert judge_again(again, config_of(again).verdict).sentence == found.sentence


def test_where_no_class_was_examined_in_time_the_likeliest_are_named(clean, data, scans, clock):
    steps = steps_of(scans.clean, clock, spend=6.0)
    found = triage(clean, data, SMALL, Triage(budget=5.0), runtime=ONE, steps=steps)
    assert (found.verdict, found.classes) == ("inconclusive", ())
    assert "no class was examined in time. The likeliest of 4 are class" in found.sentence
    # As a record says what was examined, it can be repeated however long it takes.
    again = triage(clean, data, SMALL, Triage(budget=5.0, only=()), runtime=ONE, steps=steps)
    assert again.sentence == found.sentence


def test_the_classes_of_a_record_are_examined_again_whatever_the_time(infected, data, scans, clock):
    steps, only = steps_of(scans.infected, clock, spend=100.0), (2, TARGET, 1, 0)
    found = triage(infected, data, SMALL, Triage(budget=1.0, only=only), runtime=ONE, steps=steps)
    assert tuple(one.record.label for one in found.classes) == only
    assert found.triage.budget == 1.0


def test_a_model_that_cannot_be_judged_is_not_examined(infected, data, scans):
    weak = replace(scans.infected.applicability, accuracy=0.38)
    steps = steps_of(scans.infected, assess=lambda *_, report: weak)
    found = triage(infected, data, SMALL, runtime=ONE, steps=steps)
    assert (found.verdict, found.classes) == ("inconclusive", ())
    assert "accuracy on these images is 38.0%" in found.sentence
    assert "no class was examined" in found.sentence
    assert found.triage.order[0] == TARGET


@pytest.fixture
def many(monkeypatch):
    """As if four classes were many."""
    monkeypatch.setattr(module, "MANY_CLASSES", 3)
    monkeypatch.setattr("aegis.detect.scan.is_large", lambda classes, shape: True)


LOOKED = Applicability(0.9, (0.5,), (0.8,))


@pytest.mark.usefixtures("many")
def test_many_classes_are_looked_at_and_screened_first(infected, data, scans):
    given = {"look": lambda *_, report: scans.infected.applicability, "screen": lambda *_, report: (0.2, 0.9, 1.0, 0.1)}
    examined = []
    found = triage(infected, data, SMALL, runtime=ONE, steps=steps_of(scans.infected, examined=examined, **given))
    assert examined == [3, 0, 1]
    assert (found.verdict, found.flagged_classes) == ("infected", (TARGET,))
    # The evidence of all classes would not fit into memory.
    assert [one.finding for one in found.classes] == [None] * 3
    assert found.record("m").classes[0] == scans.infected.record("m").classes[TARGET]


@pytest.mark.usefixtures("many")
def test_a_ranking_is_told_even_where_there_was_no_time_to_measure(infected, data, scans, clock):
    def assess(*_, report):
        clock[0] += 100.0
        report(Event(stage="assess", step=1, total=2))

    looked = replace(LOOKED, confusion=scans.infected.applicability.confusion[:1])
    given = {"look": lambda *_, report: looked, "screen": lambda *_, report: (0.2, 0.9, 1.0, 0.1), "assess": assess}
    steps = steps_of(scans.infected, **given)
    found = triage(infected, data, SMALL, Triage(budget=50.0), runtime=ONE, steps=steps)
    assert (found.verdict, found.classes, found.applicability) == ("inconclusive", (), looked)
    assert "The likeliest of 4 are class 3 (falling), class 0 (across), class 1 (down)" in found.sentence
    again = triage(infected, data, SMALL, Triage(budget=50.0, only=(), measured=False), runtime=ONE, steps=steps)
    assert again.sentence == found.sentence


def test_sizes_are_the_smaller_of_both_shares():
    assert relative_sizes((2.0, 1.0, 4.0), (0.1, 0.3, 0.2)) == (0.5, 0.5, 1.0)
    # Beside some classes alone, where others were chosen for being small.
    assert relative_sizes((2.0, 1.0, 4.0), (0.1, 0.3, 0.2), ordinary=(2,)) == (0.5, 0.25, 1.0)


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="budget above 0"):
        Triage(budget=0.0)
