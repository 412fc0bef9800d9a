"""A model that cannot be judged is told early, on few images, and no class of it is examined."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Runtime
from aegis.core.types import Applicability, Dataset, LabelledImages
from aegis.detect.early import first_look, is_hopeless, look_settings
from aegis.detect.scan import STEPS, scan
from aegis.records.config import VerdictConfig
from tests.detect.toy import ONE, SMALL

CONFIG = VerdictConfig()


def seen(accuracy, right, elsewhere=(0, 0)):
    """A first look at 60 attacked images of two classes, so many of which stay right, and where the others went."""
    wrong = 60 - right
    confusion = np.array([[[right // 2, elsewhere[1]], [wrong - elsewhere[1], right - right // 2]]])
    return Applicability(accuracy, (0.5,), (right / 60,), confusion)


@pytest.mark.parametrize(
    ("measured", "hopeless"),
    [
        (seen(0.38, 30), True),
        # Few images are not certain.
        (seen(0.46, 30), False),
        (seen(0.9, 50), False),
        (seen(0.9, 6, elsewhere=(0, 27)), True),
        (seen(0.9, 24, elsewhere=(0, 18)), False),
        # All attacks ended in class 0, as with a backdoor.
        (seen(0.9, 6), False),
    ],
)
def test_a_model_is_given_up_only_where_that_is_certain(measured, hopeless):
    assert is_hopeless(measured, 1000, CONFIG) is hopeless


def test_where_no_robustness_is_asked_for_accuracy_decides_alone():
    config = VerdictConfig(min_half_radius=0.0)
    assert not is_hopeless(seen(0.9, 0, elsewhere=(0, 30)), 1000, config)
    assert is_hopeless(seen(0.2, 60), 1000, config)


def test_a_first_look_measures_what_the_whole_measurement_does(infected, data, scans):
    config = replace(look_settings(SMALL), iterations=SMALL.assess.iterations, images=80)
    events = []
    found = first_look(infected.classifier.frozen(Runtime()), data, config, report=events.append)
    whole = scans.infected.applicability
    assert (found.accuracy, found.epsilons) == (whole.accuracy, (0.5,))
    assert (found.confusion[0] == whole.confusion[0]).all()
    assert found.robust_accuracies == whole.robust_accuracies[:1]
    assert (events[-1].stage, events[-1].step) == ("assess", events[-1].total)


def test_images_of_another_model_are_refused_at_once(infected, data):
    turned = LabelledImages(data.test.pixels, (data.test.labels + np.arange(len(data.test)) // 4) % 4, data.class_names)
    with pytest.raises(DataError, match=r"near the 25\.0% of guessing"):
        first_look(infected.classifier.frozen(Runtime()), Dataset("turned", data.train, turned), look_settings(SMALL))


def refuse(*_, **__):
    raise AssertionError("this takes hours")


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr("aegis.detect.scan.is_large", lambda classes, shape: True)


@pytest.mark.usefixtures("large")
def test_a_large_scan_of_a_useless_model_ends_before_anything_costly(infected, data):
    steps = replace(STEPS, look=lambda *_, report: seen(0.3, 30), assess=refuse, gather=refuse)
    found = scan(infected, data, SMALL, runtime=ONE, steps=steps)
    assert (found.verdict, found.classes) == ("inconclusive", ())
    assert "accuracy on these images is 30.0%" in found.sentence
    assert found.record("model").model.accuracy == 0.3


@pytest.fixture
def without_a_look(scans):
    """Steps that find what a whole scan found, of a model that is right on too few images, and refuse a first look."""
    whole = scans.infected
    return replace(
        STEPS,
        look=refuse,
        assess=lambda *_, report: replace(whole.applicability, accuracy=0.38),
        gather=lambda model, data, label, config, report: whole.classes[label].finding.evidence,
        embed=lambda evidence, config, report: whole.classes[evidence.label].finding.embeddings,
    )


@pytest.mark.usefixtures("large")
def test_classes_that_are_asked_for_are_examined_all_the_same(infected, data, without_a_look):
    found = scan(infected, data, SMALL, labels=[2], runtime=ONE, steps=without_a_look)
    assert [one.record.label for one in found.classes] == [2]


def test_other_scans_are_not_cut_short(infected, data, without_a_look):
    found = scan(infected, data, SMALL, runtime=ONE, steps=without_a_look)
    assert (found.verdict, len(found.classes)) == ("inconclusive", 4)
