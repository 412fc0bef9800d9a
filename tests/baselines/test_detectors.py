"""Every detector alike: known answers, repeatable, interruptible, blind to the truth, and clear about bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aegis.baselines.catalogue import BASELINES
from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Cancelled, Runtime
from aegis.core.types import Dataset, LabelledImages
from tests.baselines.shortcut import SIDE, model
from tests.detect.toy import TARGET

every = pytest.mark.parametrize("name", BASELINES)
# Enough to run, and not to find anything.
SHORT = {"nc": {"steps": 4}, "nc-pgd": {}, "mmbd": {"steps": 4}}


def detect(name, classifier, data, report=lambda event: None, seed=0, **changes):
    baseline = BASELINES[name]
    generator = torch.Generator().manual_seed(seed)
    config = replace(baseline.config, **changes)
    return baseline.detect(classifier, data, config, generator=generator, report=report)


@every
def test_a_shortcut_of_one_pixel_is_flagged_and_its_absence_is_not(name, shortcut, six):
    target, classifier = shortcut
    found = detect(name, classifier, six)
    assert found.flagged == (() if target is None else (target,))
    assert found.verdict == ("clean" if target is None else "infected")
    beyond = found.scores > found.threshold if found.measure == "p-value" else found.scores < found.threshold
    assert np.flatnonzero(beyond).tolist() == list(found.flagged)
    assert found.patterns.shape == (6, 1, SIDE, SIDE)
    assert found.value == pytest.approx(found.values.max() if found.measure == "anomaly index" else found.values.min())


@every
def test_the_toys_backdoor_is_found_and_its_clean_twin_is_spared(name, infected, clean, data):
    answers = [detect(name, suspect.classifier.frozen(Runtime()), data).flagged for suspect in (infected, clean)]
    assert answers == [(TARGET,), ()]


@every
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(name, six):
    classifier = model(2).frozen(Runtime())
    first, again, other = (detect(name, classifier, six, seed=seed, **SHORT[name]) for seed in (0, 0, 1))
    assert first.scores.tobytes() == again.scores.tobytes()
    assert first.patterns.tobytes() == again.patterns.tobytes()
    assert first.patterns.tobytes() != other.patterns.tobytes()


@every
def test_labels_and_names_play_no_part(name, six):
    classifier = model(2).frozen(Runtime())

    def hidden(images):
        return LabelledImages(images.pixels, np.zeros_like(images.labels), images.class_names)

    blind = Dataset("other", hidden(six.train), hidden(six.test))
    seen, unseen = (detect(name, classifier, data, **SHORT[name]) for data in (six, blind))
    assert seen.scores.tobytes() == unseen.scores.tobytes()


@every
def test_progress_is_told_to_the_end_and_may_stop_it(name, six):
    classifier, events = model(2).frozen(Runtime()), []
    detect(name, classifier, six, events.append, **SHORT[name])
    assert {event.stage for event in events} == {name}
    assert events[-1].step == events[-1].total
    assert events[0].frames.shape[1:] == (1, SIDE, SIDE)

    def stop(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        detect(name, classifier, six, stop)


@every
def test_what_a_detector_cannot_take_is_refused_with_what_to_do(name, six):
    two = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDE**2, 2))
    from aegis.models.classifier import Classifier

    with pytest.raises(ConfigError, match=r"at least 3 classes.*got 2 classes.*--with aegis"):
        detect(name, Classifier(two, (1, SIDE, SIDE)).frozen(Runtime()), six)
    names = six.class_names[:5]
    five = [LabelledImages(s.pixels, s.labels % 5, names) for s in (six.train, six.test)]
    with pytest.raises(DataError, match=r"in 6 classes.*in 5 classes"):
        detect(name, model(2).frozen(Runtime()), Dataset("five", *five))


@pytest.mark.parametrize("name", ["nc", "nc-pgd"])
def test_too_few_images_are_refused(name, six):
    few = Dataset("few", six.train.take(np.arange(29)), six.test.take(np.arange(29)))
    with pytest.raises(DataError, match=r"at least 30 (test|training) images.*got 29"):
        detect(name, model(2).frozen(Runtime()), few)


@pytest.mark.parametrize(("name", "changes"), [("nc", {"steps": 0}), ("nc-pgd", {"index": -1}), ("mmbd", {"alpha": 0})])
def test_settings_out_of_range_are_refused(name, changes):
    with pytest.raises(ConfigError, match=f"{next(iter(changes))} above 0"):
        replace(BASELINES[name].config, **changes)
