"""Two scans side by side: what differs is found, and told in sentences."""

from dataclasses import replace

import pytest

from aegis.records.compare import compare
from aegis.records.presets import preset
from aegis.records.record import config_record
from tests.candidates import as_first_version
from tests.report.made import made

BASE = (0.1, 0.2, 0.1, 0.3)


def scanned(digit, rates=BASE, **model):
    """A scan of a model of this digest with other fields of its record."""
    record = made(rates=rates).record
    return record.model_copy(update={"model": record.model.model_copy(update={"digest": digit * 64, **model})})


@pytest.fixture(scope="module")
def clean():
    """A scan that flags nobody."""
    return scanned("a")


@pytest.fixture(scope="module")
def infected():
    """A scan of another model that flags class 2."""
    return scanned("b", (0.1, 0.2, 0.9, 0.3))


def test_a_class_flagged_only_in_one(clean, infected):
    found = compare(clean, infected)
    assert found.sentences[:2] == (
        "Class 2 (bag) is flagged only in the newer one.",
        "The verdict changed from clean to infected.",
    )
    assert found.caveats == ()
    assert (found.classes[0].label, found.classes[0].flagged) == (2, "newer")
    assert found.classes[0].scores("patch") == (0.1, 0.9)
    assert found.classes[0].moved == (pytest.approx(0.8), "patch")
    found = compare(infected, clean)
    assert found.sentences[:2] == (
        "Class 2 (bag) is flagged only in the older one.",
        "The verdict changed from infected to clean.",
    )
    assert found.classes[0].moved[0] == pytest.approx(-0.8)


def test_the_same_in_both_and_another_class_of_each(clean, infected):
    other = scanned("c", (0.9, 0.2, 0.1, 0.8))
    assert compare(infected, other).sentences[:3] == (
        "Classes 0 (shirt) and 3 (coat) are flagged only in the newer one.",
        "Class 2 (bag) is flagged only in the older one.",
        "Both are called infected.",
    )
    found = compare(infected, infected)
    assert found.sentences == (
        "Class 2 (bag) is flagged in both.",
        "Both are called infected.",
        "Both are scans of the very same model.",
    )
    assert found.settings == ()
    assert {metric.change for metric in found.metrics} == {0.0}
    assert compare(clean, clean).sentences[:2] == ("Neither flags a class.", "Both are called clean.")


def test_a_class_that_only_one_tested_is_not_said_to_have_changed(clean, infected):
    found = compare(clean.model_copy(update={"classes": clean.classes[:2]}), infected)
    assert found.sentences[0] == "Class 2 (bag) is flagged in the newer one; the older one did not test it."
    assert found.caveats == ("Not the same classes were tested: 2 of 4 in the older one, 4 of 4 in the newer one.",)
    pair = next(pair for pair in found.classes if pair.label == 2)
    assert (pair.older, pair.scores("patch"), pair.moved[0]) == (None, (None, 0.9), 0.0)


def test_the_score_that_moved_most_among_the_others(clean):
    assert compare(clean, scanned("b", (0.1, 0.4, 0.1, 0.35))).sentences[-1] == (
        "Of the other classes, the score of class 1 (shoe) moved most: patch, from 20% to 40%."
    )


def test_metrics_of_the_model():
    weaker = scanned("b", accuracy=0.75, epsilons=(0.5, 2.0), robust_accuracies=(0.5, 0.2), half_radius=1.125)
    strong = scanned("a", epsilons=(0.5, 1.0), robust_accuracies=(0.6, 0.3), half_radius=0.8333)
    found = compare(strong, weaker)
    assert [(m.name, m.older, m.newer, m.change and round(m.change, 4)) for m in found.metrics] == [
        ("Accuracy", "80.0%", "75.0%", -0.05),
        ("Accuracy under attack, L2 radius 0.5", "60.0%", "50.0%", -0.1),
        ("Accuracy under attack, L2 radius 1", "30.0%", "not measured", None),
        ("Accuracy under attack, L2 radius 2", "not measured", "20.0%", None),
        ("Robust up to (L2 radius that halves accuracy)", "0.83", "1.12", 0.2917),
    ]
    said = "The models differ: accuracy was 80.0% and is 75.0%; robust up to 0.83 before and 1.12 now."
    assert said in found.sentences


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
