"""Several detectors on one suspect: each found again by itself, and none begun before all can take the model."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from aegis.core.errors import AegisError, CheckpointError
from aegis.core.runtime import silent
from aegis.records.detectors import AEGIS
from aegis.records.presets import preset
from aegis.records.record import read_record
from aegis.services.comparison import DETECTORS, compare_detectors
from aegis.services.scan import ScanRequest
from aegis.store import cached_detectors
from tests.baselines.shortcut import NAMES, images, suspect
from tests.layers import ROOT

RIVALS = tuple(name for name in DETECTORS if name != AEGIS)


@pytest.fixture
def request_of(tmp_path):
    """Makes a request for a suspect with a shortcut, which needs no file."""

    def make(target, data=None):
        data = data or images()
        return ScanRequest(
            file="model.safetensors",
            checkpoint=tmp_path / "model.safetensors",
            load=lambda: suspect(target),
            images=data,
            config=preset("default", data.name, data.shape),
        )

    return make


@pytest.fixture
def shown():
    """Titles of the detectors whose progress was shown."""
    return []


@pytest.fixture
def compare(store, shown):
    @contextmanager
    def progress(title):
        shown.append(title)
        yield silent

    def scan(request):
        record = read_record(ROOT / "results/scans/quick/default/mnist_clean-seed0.json.gz")
        return record.model_copy(update={"model": record.model.model_copy(update={"sha256": request.load().sha256})})

    def run(request, names=RIVALS, scan=scan, **options):
        return compare_detectors(request, names, store, scan, progress, seed=0, resume_hint="again", **options)

    return run


def test_all_rivals_say_what_they_found_and_are_found_again(compare, request_of, shown, monkeypatch):
    record = compare(request_of(2))
    assert [(one.name, one.verdict, one.flagged_classes) for one in record.detectors] == [
        (name, "infected", (2,)) for name in RIVALS
    ]
    assert (record.verdict, record.data.class_names, record.sentence) == (
        "infected",
        NAMES,
        "All 3 detectors flag class 2 (c).",
    )
    assert len(shown) == 3
    monkeypatch.setattr(cached_detectors.Rival, "detect", lambda *_: pytest.fail("computed again"))
    again = compare(request_of(2), (*reversed(RIVALS), AEGIS))
    assert again.detectors[2::-1] == record.detectors
    assert (again.detectors[3].name, again.verdict) == (AEGIS, "clean")
    assert again.sentence.startswith("They disagree: AEGIS flags no class; MM-BD flags class 2 (c)")


def test_nothing_is_begun_where_one_of_them_cannot_take_the_images(compare, request_of, shown):
    data = images()
    with pytest.raises(AegisError, match="at least 30 training images"):
        compare(request_of(2, replace(data, train=data.train.take(data.train.labels == 0))))
    assert shown == []


def test_a_file_that_is_replaced_meanwhile_is_no_comparison(compare, request_of):
    def another(request):
        return read_record(ROOT / "results/scans/quick/default/mnist_clean-seed0.json.gz")

    with pytest.raises(CheckpointError, match="took its place"):
        compare(request_of(2), (AEGIS,), another)
