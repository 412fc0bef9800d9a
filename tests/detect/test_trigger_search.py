"""A planted backdoor is found where it lies, works for its class alone, and is not found in a clean twin."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from aegis.attacks.stamps import Start
from aegis.core.runtime import Cancelled, Runtime, numpy_generator
from aegis.core.types import FAMILIES, Goal
from aegis.detect.scan import scan
from aegis.detect.success import hold_out
from aegis.detect.trigger_search import Attempt, _most_promising, search_triggers
from aegis.metrics import confusion_with_trigger
from tests.detect.toy import NAMES, ONE, SMALL, TARGET, pictures, planted, trained, trigger

OTHERS = [label for label in range(4) if label != TARGET]
SEARCH = SMALL.gather.trigger_search
SOURCE = 1


def tried(result, label: int, family: str | None = None):
    """The candidates for a class, of one family or of all."""
    (one,) = (one for one in result.classes if one.finding.label == label)
    return [t for t in one.finding.evidence.triggers if family in (None, t.family)]


@pytest.fixture(scope="module")
def one_source(data):
    """A scan of the target of a model whose backdoor works on images of one class alone."""
    suspect = trained(planted(data.train, Goal(target=TARGET, source=SOURCE)))
    return scan(suspect, data, SMALL, labels=[TARGET], runtime=ONE)


@pytest.fixture(scope="module")
def all_to_all(data):
    """A scan of two classes of a model whose backdoor leads every class to the next one."""
    suspect = trained(planted(data.train, Goal(target=TARGET, all_to_all=True)))
    return scan(suspect, data, SMALL, labels=[0, 1], runtime=ONE)


def test_the_planted_patch_is_found_for_its_class(scans):
    found = tried(scans.infected, TARGET, "patch")[0]
    assert np.nanmin(found.flip_rates) >= 0.9
    assert np.isnan(found.flip_rates[TARGET])
    assert found.counts.tolist() == [0 if label == TARGET else 20 for label in range(4)]
    assert found.score(0.75) >= 0.9

    # It is found where it lies.
    smallest = found.shown
    assert 1 <= smallest.touched.sum() <= 9
    assert (smallest.touched & trigger().touched).sum() >= smallest.touched.sum() / 2


def test_what_it_was_pruned_to_works_nearly_as_well(scans, infected, data):
    found = tried(scans.infected, TARGET, "patch")[0]
    assert found.smallest is not None
    assert found.smallest.touched.sum() < found.stamp.touched.sum()
    others = data.test.take(data.test.labels != TARGET)
    confusion = confusion_with_trigger(infected.classifier.frozen(ONE), found.smallest, others)
    assert 0.8 < found.smallest_rate <= 1
    assert confusion[:, TARGET].sum() / len(others) >= SEARCH.minimised_share - 0.1


def test_what_does_not_work_is_not_pruned(scans):
    # Half of the seeds is what it takes; held-out images are not much unlike them.
    weak = [t for label in range(4) for t in tried(scans.clean, label) if t.flip_rate < 0.4]
    assert len(weak) >= 4
    assert all(t.smallest is None for t in weak)


@pytest.mark.parametrize("family", FAMILIES)
def test_neither_another_class_nor_the_clean_twin_has_such_a_trigger(scans, family):
    scores = [t.score(0.75) for label in OTHERS for t in tried(scans.infected, label, family)]
    scores += [t.score(0.75) for label in range(4) for t in tried(scans.clean, label, family)]
    assert max(scores) <= 0.4


def test_a_backdoor_for_one_source_class_is_found_with_its_source(one_source):
    record = one_source.classes[0].record
    found = tried(one_source, TARGET)[record.strongest]
    assert (found.family, found.source) == ("source-specific", SOURCE)
    assert found.counts.tolist() == [20 if label == SOURCE else 0 for label in range(4)]
    assert found.score(0.75) >= 0.9
    assert (found.shown.touched & trigger().touched).any()
    assert one_source.flagged_classes == (TARGET,)
    assert f"class {SOURCE} ({NAMES[SOURCE]}) into it" in one_source.sentence

    # What is made for one source class does not lead the others.
    for family in ("patch", "perturbation", "all-to-all"):
        assert max(t.score(0.75) for t in tried(one_source, TARGET, family)) <= 0.4


def test_a_backdoor_that_leads_every_class_to_the_next_is_found(all_to_all):
    assert all_to_all.flagged_classes == (0, 1)
    found = max((tried(all_to_all, label, "all-to-all")[0] for label in (0, 1)), key=lambda t: t.score(0.75))
    assert found.destinations.tolist() == [1, 2, 3, 0]
    assert found.counts.tolist() == [20] * 4
    assert found.score(0.75) >= 0.9
    assert (found.shown.touched & trigger().touched).any()


def test_each_family_keeps_its_budget_and_comes_best_first(scans):
    for result in (scans.infected, scans.clean):
        for label in range(4):
            # One for each source class, and the best of all starts in the other families.
            counts = Counter(t.family for t in tried(result, label))
            assert counts == dict.fromkeys(FAMILIES, SEARCH.top_k) | {"source-specific": 3}
            assert {t.source for t in tried(result, label, "source-specific")} == set(range(4)) - {label}
            for family, area in (
                ("patch", SEARCH.area),
                ("source-specific", SEARCH.source_specific_share * SEARCH.area),
                ("all-to-all", SEARCH.area),
            ):
                for t in tried(result, label, family):
                    assert (1 - t.stamp.keep).max(axis=0).sum() <= max(1, round(area * 144)) * 1.01
            for t in tried(result, label, "perturbation"):
                assert np.linalg.norm(t.stamp.add) <= SEARCH.radius + 1e-5
            for family in FAMILIES:
                rates = [t.flip_rate for t in tried(result, label, family)]
                assert rates == sorted(rates, reverse=True)


def test_folds_are_halves_of_the_same_held_out_images(scans):
    for t in tried(scans.infected, TARGET):
        sizes = t.confusion.sum(axis=2)
        assert sizes.shape == (2, 4)
        assert abs(sizes[0].sum() - sizes[1].sum()) <= 1
        assert sizes.sum(axis=0).tolist() == t.counts.tolist()
        assert abs(sizes[0] - sizes[1]).max() <= 1


def arguments(suspect, data, evidence):
    """What ``search_triggers`` is given first."""
    seeds, sources = data.train.pixels[evidence.seed_index], data.train.labels[evidence.seed_index]
    return suspect.classifier.frozen(Runtime()), seeds, sources, evidence.translated, data.test


def test_a_run_can_be_repeated_and_tells_of_every_step(infected, data, scans):
    config, events = replace(SEARCH, clusters=2, steps=3, refine_steps=2, held_out=5), []
    given = arguments(infected, data, scans.infected.classes[TARGET].finding.evidence)
    first, again = (search_triggers(*given, TARGET, config, numpy_generator(0), events.append) for _ in range(2))
    assert len(first) == (len(FAMILIES) - 1) * config.top_k + 3
    for a, b in zip(first, again, strict=True):
        assert (a.stamp.keep == b.stamp.keep).all()
        assert (a.stamp.add == b.stamp.add).all()
        assert (a.confusion == b.confusion).all()
        assert (a.start, a.source) == (b.start, b.source)
    assert {(event.stage, event.label) for event in events} == {("search", TARGET)}
    assert events[-1].step == events[-1].total

    def cancel(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        search_triggers(*given, TARGET, SEARCH, numpy_generator(0), cancel)


@pytest.mark.parametrize(("count", "kept"), [(5, 5), (30, 30), (100, 30)])
def test_held_out_images_are_of_every_class(count, kept):
    chosen = hold_out(pictures(2, 30), count, np.random.default_rng(0))
    assert np.bincount(chosen.labels, minlength=4).tolist() == [kept] * 4
    assert len(np.unique(chosen.pixels, axis=0)) == 4 * kept


def test_after_each_round_every_source_class_and_the_most_promising_attempts_are_left():
    start = Start(np.zeros((1, 2, 2), np.float32), np.zeros((1, 2, 2), np.float32), "nowhere")
    attempts = [Attempt(start, torch.zeros(1, 1), source) for source in (0, 0, 0, 1, 1, 1)]
    losses = [5.0, 4.0, 6.0, 0.3, 0.1, 0.2]
    assert set(_most_promising(losses, attempts, 4)) == {1, 4, 5, 3}
    assert set(_most_promising(losses, attempts, 3)) == {1, 4, 5}
    assert set(_most_promising(losses, attempts, 0)) == {1, 4}
