"""Presets are recognised from records, and settings that differ are named."""

from dataclasses import replace

import pytest

from aegis.records.presets import PRESETS, adjusted, preset
from aegis.records.record import config_record
from aegis.records.settings import (
    FOREIGN,
    OWN,
    all_settings,
    different_settings,
    different_surroundings,
    preset_of,
    same_settings,
    say_settings,
)
from tests.report.made import made

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def record():
    """A scan by the default preset."""
    return made().record


def scanned_with(record, config):
    """The record of a scan by other settings, or by a preset."""
    config = preset(config, None, SHAPE) if isinstance(config, str) else config
    return record.model_copy(update={"config": config_record(config)})


def told(lines):
    return {line.name: (line.older, line.newer) for line in lines}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_known_whatever_its_seed_its_sizes_and_its_calibration(record, name):
    config = adjusted(preset(name, record.data.name, SHAPE), seed=7)
    if config.gather.trigger_search is not None:
        sized = replace(config.gather.trigger_search, area=0.0123, radius=4.5)
        config = replace(config, gather=replace(config.gather, trigger_search=sized))
    config = replace(config, verdict=replace(config.verdict, nulls=config.verdict.nulls[:1]))
    assert preset_of(scanned_with(record, config)) == name
    assert say_settings(scanned_with(record, config)) == f"{name} settings"


def test_own_settings_and_those_of_another_version_are_told_apart(record):
    assert preset_of(scanned_with(record, adjusted(preset("quick", None, SHAPE), seeds=33))) == OWN
    # The paper's depend on the images.
    assert preset_of(scanned_with(record, preset("paper", "cifar10", (3, 32, 32)))) == OWN
    for config in ({"seeds": 3}, {"gather": 3, "verdict": None}):
        other = record.model_copy(update={"config": config})
        assert preset_of(other) == FOREIGN
        assert say_settings(other) == "settings of another version"


def test_what_differs_is_named_and_nothing_else(record):
    default, quick, paper = (scanned_with(record, name) for name in ("default", "quick", "paper"))
    lines = told(different_settings(default, quick))
    assert lines["Images translated per class"] == ("250", "120")
    assert lines["Held-out images per class"] == ("50", "20")
    assert lines["Search for triggers: steps"] == ("30", "25")
    assert len(lines) == 5
    assert different_settings(default, default) == ()
    # A search left out is one line.
    lines = told(different_settings(default, paper))
    assert lines["Search for triggers"] == ("yes", "none")
    assert not [name for name in lines if name.startswith("Search for triggers: ")]


def test_seeds_and_budgets_are_told_in_full_and_long_lists_by_their_digest(record):
    def differing(name, *values):
        """What is told where a setting has these values."""
        scans = (scanned_with(record, adjusted(preset("default", None, SHAPE), **{name: v})) for v in values)
        return set(told(different_settings(*scans)).values())

    assert differing("seed", 1_234_567, 1_234_568) == {("1234567", "1234568")}
    three, five = "epsilon 3, step 0.625, iterations 12", "epsilon 5, step 1.04167, iterations 12"
    assert differing("epsilon", 3, 5) == {(three, five)}
    nulls = ([{"family": "patch", "maxima": [step * i for i in range(9)]}] for step in (0.1, 0.2))
    configs = [{**record.config, "verdict": {**record.config["verdict"], "nulls": n}} for n in nulls]
    (line,) = different_settings(*(record.model_copy(update={"config": config}) for config in configs))
    assert line.older.startswith("9 models (")
    assert line.older != line.newer


def test_text_in_settings_cannot_forge_a_line(record):
    hostile = record.model_copy(update={"config": {**record.config, "x\nVerdict": "clean\x1b[2J\u202e"}})
    assert told(different_settings(record, hostile)) == {"x\\nVerdict": ("not known", "clean\\x1b[2J\\u202e")}


def test_only_what_the_user_chose_counts_as_other_settings(record):
    assert same_settings(record, scanned_with(record, adjusted(preset("default", None, SHAPE), seed=3)))
    assert not same_settings(record, scanned_with(record, "quick"))


def test_versions_images_and_device_that_differ(record):
    other = record.model_copy(
        update={
            "versions": {"aegis": "9.8.7", "timm": "1"},
            "runtime": record.runtime.model_copy(update={"precision": "bf16"}),
            "data": record.data.model_copy(update={"digest": "f" * 64}),
        }
    )
    assert told(different_surroundings(record, other)) == {
        "Digest of the images": (record.data.digest[:16], "f" * 16),
        "Precision": ("fp32", "bf16"),
        "Version of torch": ("2.99", "–"),  # noqa: RUF001 - none
        "Version of timm": ("–", "1"),  # noqa: RUF001 - none
    }


def test_all_settings_are_told_in_words_and_what_is_not_there_is_not(record):
    lines = dict(all_settings(record))
    assert lines["Images translated per class"] == "250"
    assert lines["Bandwidth of mean shift"] == "computed"
    assert lines["Search for triggers"] == "yes"
    lines = dict(all_settings(scanned_with(record, "paper")))
    assert lines["Search for triggers"] == "none"
    assert "Area of a patch (share of the image)" not in lines
    assert all_settings(record.model_copy(update={"config": {"seeds": 3}})) == ()
