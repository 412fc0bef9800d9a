"""How long a scan will take, told beforehand."""

from dataclasses import replace

import pytest

from aegis.records.config import AssessConfig
from aegis.records.presets import adjusted, preset
from aegis.records.record import ClassRecord, config_record
from aegis.ui import estimate as scan_estimate
from aegis.ui.estimate import Task, gather_work, seconds, spoken
from tests.stored import record

CONFIG = preset("default", None, (1, 28, 28))
TASK = Task(architecture="aegis:cnn16", shape=(1, 28, 28), classes=10, chosen=10, config=CONFIG)


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr(scan_estimate, "cores", lambda: 2)


def earlier(gather):
    """A scan of ten classes by the same settings."""
    one = ClassRecord(
        label=0, name="a", suspicious=False, reason="", clusters=1, budgets=(), clusters_by_budget=(),
        translated_clusters_by_budget=(), bandwidths=(), translation_success=(), transplants=(),
    )  # fmt: skip
    kept = record()
    model = kept.model.model_copy(update={"architecture": "aegis:cnn16"})
    data = kept.data.model_copy(update={"shape": (1, 28, 28), "class_names": tuple("abcdefghij")})
    fields = {"model": model, "data": data, "config": config_record(CONFIG), "classes": (one,) * 10}
    return kept.model_copy(update={**fields, "seconds": {"gather": gather}})


def test_more_work_takes_longer():
    usual, known = seconds(TASK, None, [])
    assert not known
    assert usual > 0
    for harder in (
        replace(TASK, architecture="aegis:resnet50"),
        replace(TASK, shape=(1, 64, 64)),
        replace(TASK, config=adjusted(CONFIG, iterations=200)),
        replace(TASK, architecture="nobody:knows"),
    ):
        assert seconds(harder, None, [])[0] > usual
    assert seconds(replace(TASK, chosen=2), None, [])[0] < usual


@pytest.mark.parametrize(
    ("options", "width"),
    [
        ("", 1),
        (",width=32", 0.5),
        (",width=32,bottleneck=1", 0.5),
        (",bottleneck=1,width=128", 2),
        (",width=", 1),
        (",width=wide", 1),
        (",width=-32", 1),
        (f",width={'9' * 5000}", 1),
        (",width=३२", 1),
        (",halfwidth=32", 1),
    ],
)
def test_the_width_counts_wherever_it_stands_and_nonsense_does_not(options, width):
    shape = (3, 32, 32)
    usual = scan_estimate.default_rate("aegis:resnet18", shape)
    assert scan_estimate.default_rate(f"aegis:resnet18{options}", shape) == pytest.approx(usual * width**1.5)


def test_an_earlier_scan_of_such_a_model_is_believed():
    span, known = seconds(TASK, 0.0, [earlier(gather=1000.0)])
    assert known
    # 100 seconds a class, and five classes one after the other on each of two cores.
    assert span == pytest.approx(500 + 5 * scan_estimate.embed_seconds(CONFIG, 500))


def test_a_scan_that_was_found_in_the_store_tells_nothing():
    assert not seconds(TASK, None, [earlier(gather=0.01)])[1]


def test_what_was_measured_is_believed():
    work = scan_estimate.assess_work(CONFIG.assess, TASK.classes, TASK.test)
    span, known = seconds(TASK, work / 100, [])
    assert known
    # 100 gradients a second on two cores are 50 on one.
    each = gather_work(CONFIG.gather, 10, 500) / 50
    assert span == pytest.approx(5 * (each + scan_estimate.embed_seconds(CONFIG, 500)))


def test_measuring_counts_the_ladder_and_what_goes_for_all_images():
    config = AssessConfig(
        images=30, epsilons=(1.0, 2.0), iterations=5, universal_batch=4, perturbation_steps=6, patch_steps=7
    )
    assert scan_estimate.assess_work(config, classes=10, test=0) == 30 * 2 * 5 + 10 * 4 * (6 + 7)
    assert scan_estimate.assess_work(config, classes=10, test=300) == pytest.approx(920)


@pytest.mark.parametrize(
    ("span", "said"),
    [(3, "less than 10 seconds"), (44, "about 40 seconds"), (600, "about 10 minutes"), (9000, "about 2.5 hours")],
)
def test_times_as_people_say_them(span, said):
    assert spoken(span) == said
