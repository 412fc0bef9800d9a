"""Two scans side by side: what differs is found, and told in sentences."""

from dataclasses import replace

import pytest

from aegis.core.types import Applicability
from aegis.records.compare import compare
from aegis.records.presets import preset
from aegis.records.record import config_record
from tests.candidates import as_first_version
from tests.report.made import made

BASE = (0.1, 0.2, 0.1, 0.3)
BACKDOOR = (0.1, 0.2, 0.9, 0.3)


@pytest.fixture(scope="module")
def clean():
    """A scan that flags nobody."""
    return of_model(made(rates=BASE).record, "a")


@pytest.fixture(scope="module")
def infected():
    """A scan of another model that flags class 2."""
    return of_model(made(rates=BACKDOOR).record, "b")


def of_model(record, digit):
    return record.model_copy(update={"model": record.model.model_copy(update={"digest": digit * 64})})


def only(record, *labels):
    """The same scan where only these classes were tested."""
    return record.model_copy(update={"classes": tuple(one for one in record.classes if one.label in labels)})


def test_a_class_flagged_only_in_the_newer_one(clean, infected):
    found = compare(clean, infected)
    assert found.sentences[:2] == (
        "Class 2 (bag) is flagged only in the newer one.",
        "The verdict changed from clean to infected.",
    )
    assert found.caveats == ()
    assert (found.classes[0].label, found.classes[0].flagged) == (2, "newer")
    assert found.classes[0].scores("patch") == (0.1, 0.9)
    assert found.classes[0].moved == (pytest.approx(0.8), "patch")


def test_the_other_way_round(clean, infected):
    found = compare(infected, clean)
    assert found.sentences[:2] == (
        "Class 2 (bag) is flagged only in the older one.",
        "The verdict changed from infected to clean.",
    )
    assert found.classes[0].moved[0] == pytest.approx(-0.8)


def test_another_class_of_each(infected):
    other = of_model(made(rates=(0.9, 0.2, 0.1, 0.8)).record, "c")
    assert compare(infected, other).sentences[:3] == (
        "Classes 0 (shirt) and 3 (coat) are flagged only in the newer one.",
        "Class 2 (bag) is flagged only in the older one.",
        "Both are called infected.",
    )


def test_the_same_in_both(infected):
    found = compare(infected, infected)
    assert found.sentences == (
        "Class 2 (bag) is flagged in both.",
        "Both are called infected.",
        "Both are scans of the very same model.",
    )
    assert found.settings == ()
    assert {metric.change for metric in found.metrics} == {0.0}


def test_nobody_flagged(clean):
    assert compare(clean, clean).sentences[:2] == ("Neither flags a class.", "Both are called clean.")


def test_a_class_that_only_one_tested_is_not_said_to_have_changed(clean, infected):
    found = compare(only(clean, 0, 1), infected)
    assert found.sentences[0] == "Class 2 (bag) is flagged in the newer one; the older one did not test it."
    assert found.caveats == ("Not the same classes were tested: 2 of 4 in the older one, 4 of 4 in the newer one.",)
    pair = next(pair for pair in found.classes if pair.label == 2)
    assert pair.older is None
    assert pair.scores("patch") == (None, 0.9)
    assert pair.moved[0] == 0.0


def test_the_score_that_moved_most_among_the_others(clean):
    moved = of_model(made(rates=(0.1, 0.4, 0.1, 0.35)).record, "b")
    assert compare(clean, moved).sentences[-1] == (
        "Of the other classes, the score of class 1 (shoe) moved most: patch, from 20% to 40%."
    )


def test_metrics_of_the_model(clean):
    weaker = made(rates=BASE, measured=Applicability(0.75, (0.5, 2.0), (0.5, 0.2))).record
    weaker = of_model(weaker, "b")
    weaker = weaker.model_copy(
        update={
            "model": weaker.model.model_copy(
                update={"accuracy": 0.75, "epsilons": (0.5, 2.0), "robust_accuracies": (0.5, 0.2), "half_radius": 1.125}
            )
        }
    )
    strong = clean.model_copy(
        update={
            "model": clean.model.model_copy(
                update={"epsilons": (0.5, 1.0), "robust_accuracies": (0.6, 0.3), "half_radius": 0.8333}
            )
        }
    )
    rows = [
        (m.name, m.older, m.newer, None if m.change is None else round(m.change, 4))
        for m in compare(strong, weaker).metrics
    ]
    assert rows == [
        ("Accuracy", "80.0%", "75.0%", -0.05),
        ("Accuracy under attack, L2 radius 0.5", "60.0%", "50.0%", -0.1),
        ("Accuracy under attack, L2 radius 1", "30.0%", "not measured", None),
        ("Accuracy under attack, L2 radius 2", "not measured", "20.0%", None),
        ("Robust up to (L2 radius that halves accuracy)", "0.83", "1.12", 0.2917),
    ]
    assert "The models differ: accuracy was 80.0% and is 75.0%; robust up to 0.83 before and 1.12 now." in (
        compare(strong, weaker).sentences
    )


def test_other_images_are_hard_to_compare(clean, infected):
    data = infected.data.model_copy(update={"digest": "f" * 64})
    found = compare(clean, infected.model_copy(update={"data": data}))
    assert found.caveats == ("They were scanned with different images: others under the same name, samples:made.",)
    assert not any(sentence.startswith("The models differ") for sentence in found.sentences)
    assert found.classes


def test_other_classes_are_not_set_side_by_side(clean, infected):
    names = ("cat", "dog", "bird\nInfected", "ship")
    data = infected.data.model_copy(update={"digest": "f" * 64, "name": "pets", "class_names": names})
    found = compare(clean, infected.model_copy(update={"data": data}))
    assert found.classes == ()
    assert found.sentences[0] == ("The older one flags no class, the newer one flags class 2 (bird\\nInfected).")
    assert found.caveats == (
        "They were scanned with different images: samples:made and pets.",
        "Their classes are not the same, so no class of one stands beside one of the other.",
    )


def test_other_settings_are_hard_to_compare(clean, infected):
    config = preset("quick", None, infected.data.shape)
    config = config_record(replace(config, verdict=replace(config.verdict, nulls=())))
    versions = {**infected.versions, "aegis": "10"}
    found = compare(clean, infected.model_copy(update={"config": config, "versions": versions}))
    assert found.caveats == (
        "They were scanned with different settings (presets default and quick): scores and clusters depend on them.",
        "Their scores were held against different benign models, so one score may flag in only one.",
        "They were made by different versions of AEGIS.",
    )
    assert found.settings[0].name == "Preset"
    assert "Version of aegis" in [line.name for line in found.settings]


def test_records_of_any_version_can_be_compared(clean, infected):
    first = as_first_version(infected).model_copy(update={"config": {"seeds": 3}})
    found = compare(first, clean)
    assert found.sentences[0] == "Class 2 (bag) is flagged only in the older one."
    assert any("another version and default" in caveat for caveat in found.caveats)
    empty = clean.model_copy(update={"classes": (), "flagged_classes": ()})
    assert compare(empty, clean).sentences[0] == "Neither flags a class."
    assert compare(empty, empty).classes == ()
