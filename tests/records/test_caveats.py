"""What a reader must not take for tested."""

from dataclasses import replace

import pytest

from aegis.records.caveats import say_control, untested
from aegis.records.presets import preset
from aegis.records.record import ControlRecord, config_record
from tests.report.made import made


@pytest.fixture(scope="module")
def record():
    """A scan that flags class 2 of four, by settings of its own."""
    return made().record


def said_of(record, **changes):
    return " ".join(untested(record.model_copy(update=changes)))


def test_classes_that_were_left_out_are_counted(record):
    assert "of the model's" not in said_of(record)
    assert said_of(record, classes=record.classes[:1]).startswith("3 of the model's 4 classes.")


def test_the_size_of_the_triggers_that_were_sought_is_told(record):
    config = preset("default", None, (1, 8, 8))
    search = replace(config.gather.trigger_search, area=0.026, radius=1.25)
    said = said_of(record, config=config_record(replace(config, gather=replace(config.gather, trigger_search=search))))
    assert "at most 2.6% of the pixels (1.9% where it is for one class alone)" in said
    assert "(L2 norm 1.25)" in said
    assert "know this test and hide from it: in trials it missed a patch of a tenth of the image and a warp" in said


def test_what_thresholds_were_not_measured_on_is_told(record):
    said = said_of(record)
    assert "models of 4 classes are flagged: that was measured on models of ten" in said
    assert "with these settings" not in said
    assert "with these settings" in said_of(record, config=config_record(preset("quick", None, (1, 8, 8))))
    ten = record.data.model_copy(update={"class_names": tuple("abcdefghij")})
    assert "ten classes" not in said_of(record, data=ten)


def test_the_papers_rule_tries_no_trigger():
    said = said_of(made(kind="paper").record)
    assert "tries no trigger" in said
    assert "know this test" not in said


def test_settings_of_another_version_promise_no_sizes(record):
    said = said_of(record, config={"gather": 3})
    assert "one fixed patch of few pixels" in said
    assert "%" not in said


def test_the_images_are_named_as_they_were_given(record):
    data = record.data.model_copy(update={"name": "<b>mine</b>"})
    assert "Images unlike these (<b>mine</b>)" in said_of(record, data=data)


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


def test_other_networks_of_the_file_come_first(record):
    model = record.model.model_copy(update={"entry": "state_dict", "others": ("state_dict_ema",)})
    said = untested(record.model_copy(update={"model": model}))
    assert said[0].startswith("1 other network of the file: state_dict_ema.")
    assert model.called == f"{record.model.file}, entry state_dict"
    assert record.model.called == record.model.file


def test_how_an_unusual_network_was_read_is_told(record):
    assert "read as it is used" not in said_of(record)
    model = record.model.model_copy(update={"reading": ("it ends in a softmax", "its answers differ")})
    said = "Whether the network is read as it is used elsewhere: it ends in a softmax; its answers differ."
    assert said in said_of(record, model=model)
