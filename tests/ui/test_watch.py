"""How long a scan will take, told beforehand and while it runs."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.progress import SHARES
from aegis.core.runtime import Event
from aegis.core.text import spoken
from aegis.core.types import Applicability
from aegis.records.presets import adjusted, preset
from aegis.records.record import ClassRecord, config_record
from aegis.ui.watch import CURVE, PlannedScan, Watch, seconds
from tests.stored import record

CONFIG = preset("default", None, (1, 28, 28))
TASK = PlannedScan(architecture="aegis:cnn16", shape=(1, 28, 28), classes=10, chosen=10, config=CONFIG)


def earlier(assess=20.0, classes=100.0, config=CONFIG, device="cpu"):
    """A scan of ten classes."""
    one = ClassRecord(
        label=0, name="a", flagged=False, reason="", clusters=1, budgets=(), clusters_by_budget=(),
        translated_clusters_by_budget=(), bandwidths=(), translation_success=(), triggers=(),
    )  # fmt: skip
    kept = record()
    fields = {
        "model": kept.model.model_copy(update={"architecture": "aegis:cnn16"}),
        "data": kept.data.model_copy(update={"shape": (1, 28, 28), "class_names": tuple("abcdefghij")}),
        "config": config_record(config),
        "classes": (one,) * 10,
        "seconds": {"assess": assess, "gather": 500.0, "embed": 50.0, "judge": 1.0, "classes": classes},
        "runtime": kept.runtime.model_copy(update={"device": device}),
    }
    return kept.model_copy(update=fields)


def sized(config):
    """Settings with the sizes that a scan computes."""
    trial = replace(config.gather.trigger_search, area=0.05, radius=2.0)
    return replace(config, gather=replace(config.gather, trigger_search=trial))


@pytest.mark.parametrize(("changes", "span"), [({}, 120.0), ({"chosen": 5}, 70.0), ({"is_measured": True}, 100.0)])
def test_a_scan_takes_as_long_as_one_of_its_kind(changes, span):
    assert seconds(replace(TASK, **changes), [earlier(config=sized(CONFIG))]) == pytest.approx(span)


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "aegis:resnet50"},
        {"shape": (1, 64, 64)},
        {"classes": 11},
        {"config": adjusted(CONFIG, iterations=200)},
        {"config": preset("quick", None, (1, 28, 28))},
    ],
)
def test_a_scan_of_another_kind_tells_nothing(changes):
    assert seconds(replace(TASK, **changes), [earlier()]) is None


def test_without_earlier_scans_nothing_is_promised():
    assert seconds(TASK, []) is None
    assert seconds(TASK, [earlier().model_copy(update={"config": {"seeds": 3}}), record()]) is None


def test_the_longest_on_the_newest_ones_device_is_believed():
    # A scan that found its steps in the store took no time.
    assert seconds(TASK, [earlier(0.0, 0.1), earlier()]) == pytest.approx(120)
    assert seconds(TASK, [earlier(2.0, 10.0, device="cuda"), earlier()]) == pytest.approx(12)


@pytest.mark.parametrize(
    ("span", "said"),
    [(3, "less than 10 seconds"), (44, "about 40 seconds"), (600, "about 10 minutes"), (9000, "about 2.5 hours")],
)
def test_times_as_people_say_them(span, said):
    assert spoken(span) == said


def test_a_watch_tells_time_left_and_keeps_first_and_last_frames():
    watch = Watch(title="a")
    watch.know(("x", "y"), None, tries=True)
    for step in range(1, 1001):
        frames = np.full((1, 1, 2, 2), step / 1000, np.float32)
        watch(Event(stage="translate", label=1, step=step, total=1000, loss=1 / step, frames=frames))
    one = watch.view().classes[1]
    assert (one.first[0, 0, 0, 0], one.frames[0, 0, 0, 0]) == (np.float32(0.001), np.float32(1))
    assert len(one.curve) <= CURVE
    assert one.curve[-1] == (1000, 0.001)
    begun, share = SHARES["translate"]
    assert one.share == pytest.approx(begun + share)
    assert one.seconds_left(one.started + 40) == pytest.approx(40 / (begun + share) - 40)
    watch(Event(stage="search", label=1, step=1, total=10, loss=5.0))
    one = watch.view().classes[1]
    assert one.curve == ((1, 5.0),)
    assert one.pictured == "translate"
    watch(Event(stage="search", label=1, step=2, total=10, frames=frames))
    assert watch.view().classes[1].pictured == "search"
    watch.measure(Applicability(0.9, (1.0,), (0.5,)))
    assert watch.view().measured.accuracy == 0.9
    watch.note("Computed on", "cpu, fp32")
    watch.find(1, 0.25)
    view = watch.view()
    watch.find(0, 0.5)
    assert (view.facts, view.found) == ({"Computed on": "cpu, fp32"}, {1: 0.25})
