"""What a reader must not take for tested."""

from dataclasses import replace

import pytest

from aegis.records.caveats import say_control, untested
from aegis.records.presets import preset
from aegis.records.record import ControlRecord, config_record
from tests.report.made import made, with_record


@pytest.fixture(scope="module")
def flagged():
    """A scan that flags class 2 of four."""
    return made()


def test_classes_that_were_left_out_are_counted(flagged):
    assert not any("of the model's" in limit for limit in untested(flagged.record))
    part = with_record(flagged, classes=flagged.record.classes[:1])
    assert untested(part.record)[0] == "3 of the model's 4 classes."


def test_the_size_of_the_triggers_that_were_sought_is_told(flagged):
    config = preset("default", None, (1, 8, 8))
    search = replace(config.gather.trigger_search, area=0.026, radius=1.25)
    config = replace(config, gather=replace(config.gather, trigger_search=search))
    said = " ".join(untested(with_record(flagged, config=config_record(config)).record))
    assert "at most 2.6% of the pixels (1.3% where it is for one class alone)" in said
    assert "(L2 norm 1.25)" in said
    assert "know this test" in said


def test_what_thresholds_were_not_measured_on_is_told(flagged):
    # It has four classes, and settings of its own.
    said = " ".join(untested(flagged.record))
    assert "models of 4 classes are flagged: that was measured on models of ten" in said
    assert "with these settings" not in said
    config = preset("quick", None, (1, 8, 8))
    said = " ".join(untested(with_record(flagged, config=config_record(config)).record))
    assert "with these settings" in said
    ten = flagged.record.data.model_copy(update={"class_names": tuple("abcdefghij")})
    assert "ten classes" not in " ".join(untested(with_record(flagged, data=ten).record))


def test_the_papers_rule_tries_no_trigger():
    said = untested(made(kind="paper").record)
    assert any("tries no trigger" in limit for limit in said)
    assert not any("know this test" in limit for limit in said)


def test_settings_of_another_version_promise_no_sizes(flagged):
    said = " ".join(untested(with_record(flagged, config={"gather": 3}).record))
    assert "one fixed patch of few pixels" in said
    assert "%" not in said


def test_the_images_are_named_as_they_were_given(flagged):
    data = flagged.record.data.model_copy(update={"name": "<b>mine</b>"})
    assert any(
        "Images unlike these (<b>mine</b>)" in limit for limit in untested(with_record(flagged, data=data).record)
    )


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({}, "It works on 93% of the images. The same scan found it."),
        ({"seen": False}, "It works on 93% of the images. The same scan did NOT find it."),
        ({"planted": False, "lift": 0.12}, "It works on 12% of the images, so it is no backdoor and shows nothing."),
    ],
)
def test_a_positive_control_says_what_it_showed(about, said):
    control = ControlRecord(
        target=1, trigger={"size": 3}, lift=0.93, accuracy=0.9, planted=True, seen=True, score=0.9, p_value=0.001
    )
    whole = say_control(control.model_copy(update=about), ("ant", "bee"))
    assert "a square of 3 by 3 pixels that leads to class 1 (bee)" in whole
    assert whole.endswith(said)
