"""Among many classes the target of a backdoor is ranked first by a few passes through the network."""

import pytest

from aegis.core.runtime import Cancelled, Runtime
from aegis.detect import screen as module
from aegis.detect.screen import screen
from tests.detect.toy import TARGET


@pytest.fixture
def fast(infected):
    return infected.classifier.frozen(Runtime(), once=True)


def first(sizes):
    return min(range(len(sizes)), key=lambda label: sizes[label])


def test_the_target_is_first_and_progress_never_falls(fast, data):
    events = []
    assert first(screen(fast, data, report=events.append)) == TARGET
    shares = [event.step / event.total for event in events]
    assert shares == sorted(shares)
    assert (shares[-1], {event.stage for event in events}) == (1.0, {"rank"})


def test_of_large_images_the_best_estimates_are_measured_and_others_rank_behind(fast, data, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(module, "AGAIN", 2)
    monkeypatch.setattr(module, "measured_classes", lambda classes, shape: [0])
    searched = []
    real = module.universal_radii

    def counted(*given, labels, **options):
        searched.extend(labels)
        return real(*given, labels=labels, **options)

    monkeypatch.setattr(module, "universal_radii", counted)
    sizes = screen(fast, data)
    assert first(sizes) == TARGET
    assert {0, TARGET} <= set(searched)
    assert len(searched) in (2, 3)
    left_out = set(range(4)) - set(searched)
    assert min(sizes[k] for k in left_out) > max(sizes[k] for k in searched)
    assert sizes == screen(fast, data)


def test_it_can_be_cancelled(fast, data):
    def cancel(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        screen(fast, data, report=cancel)
