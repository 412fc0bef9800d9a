"""What every poison filter keeps to."""

import numpy as np
import pytest

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.poison_filter import POISON_FILTERS, FindPoison
from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled, numpy_generator
from aegis.core.types import LabelledImages

from .planted import NAMES, SHAPE, classifier, training


@pytest.fixture(params=POISON_FILTERS)
def one(request):
    return request.param, POISON_FILTERS[request.param]


def run(one, images, report=lambda event: None):
    return one.find_poison(classifier(), images, one.config, generator=numpy_generator(0), report=report)


def test_the_contract(one):
    name, chosen = one
    assert name not in BASELINES
    assert isinstance(chosen.find_poison, FindPoison)
    (images, _), events, stage = training(30), [], name.partition("-")[0]
    result = run(chosen, images, events.append)
    assert (result.flagged.dtype, result.flagged.shape) == (bool, (len(images),))
    assert (result.scores.dtype, result.scores.shape) == (np.float32, (len(images),))
    assert (result.statistics.dtype, result.statistics.shape) == (np.float32, (len(NAMES),))
    assert [(event.stage, event.step, event.total, event.label) for event in events] == [
        *((stage, label, 3, label) for label in range(3)),
        (stage, 3, 3, None),
    ]


def test_a_report_may_cancel_it(one):
    seen = []

    def cancel(event):
        seen.append(event.label)
        if event.label == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(one[1], training(0)[0], cancel)
    assert seen == [0, 1]


def test_images_of_another_model_are_refused(one):
    wide = LabelledImages(np.zeros((30, 1, 5, 6), np.float32), np.arange(30) % 3, NAMES)
    named = LabelledImages(np.zeros((30, *SHAPE), np.float32), np.arange(30) % 3, (*NAMES, "d"))
    for images, got in ((wide, r"\(1, 5, 6\) in 3 classes"), (named, r"\(1, 5, 5\) in 4 classes")):
        with pytest.raises(DataError, match=f"got {got}. Give the images that the model was trained on"):
            run(one[1], images)
