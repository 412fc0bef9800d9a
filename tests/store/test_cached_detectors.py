"""Results of other detectors: computed once, found again bit for bit, and never confused."""

from dataclasses import fields, replace

import numpy as np
import pytest

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.result import DetectorResult
from aegis.baselines.rival import Rival
from aegis.core.types import Dataset
from aegis.store.cached_detectors import CODE, DetectorKey, find_or_detect
from aegis.store.store import Store
from tests.baselines.shortcut import images, suspect
from tests.layers import ROOT

RESULT = DetectorResult(
    scores=np.array([4, 1, 3], np.float32),
    values=np.array([np.nan, np.inf, 0.1], np.float32),
    measure="anomaly index",
    cut=2.0,
    threshold=float("nan"),
    flagged=(1, 2),
    patterns=np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2) / 24,
    masks=np.ones((3, 2, 2), np.float32),
    successes=np.full(3, np.nan, np.float32),
)


@pytest.mark.parametrize("result", [RESULT, replace(RESULT, masks=None, flagged=(), measure="p-value")])
def test_a_result_is_computed_once_and_found_again(store, result):
    computed = []

    def detect():
        computed.append(1)
        return result

    first = find_or_detect(store, "1" * 64, detect)
    again = find_or_detect(Store(store.folder), "1" * 64, detect)
    assert (first.found, again.found, again.seconds, len(computed)) == (False, True, first.seconds, 1)
    for one in fields(DetectorResult):
        kept, given = getattr(again.result, one.name), getattr(result, one.name)
        assert type(kept) is type(given), one.name
        np.testing.assert_array_equal(kept, given)
    assert not find_or_detect(store, "1" * 64, detect, fresh=True).found
    assert len(computed) == 2


def test_every_part_of_the_question_is_a_part_of_the_key():
    rival, data = Rival(name="nc", suspect=suspect(2), images=images()), images()
    others = (
        replace(rival, name="mmbd"),
        replace(rival, seed=1),
        replace(rival, precision="bf16" if rival.runtime().precision == "fp32" else "fp32"),
        replace(rival, suspect=suspect(1)),
        replace(rival, images=Dataset("other", data.train, data.test)),
        replace(rival, images=Dataset(data.name, data.test, data.test)),
    )
    keys = [DetectorKey.of(one).digest() for one in (rival, replace(rival), *others)]
    assert keys[0] == keys[1]
    assert len({*keys}) == 7


def test_a_damaged_result_is_computed_again(store):
    find_or_detect(store, "2" * 64, lambda: RESULT)
    store.keep("2" * 64, {"scores": RESULT.scores})
    assert not find_or_detect(store, "2" * 64, lambda: RESULT).found


def test_results_depend_on_the_source_of_every_detector():
    assert {f"{one.module.removeprefix('aegis.').replace('.', '/')}.py" for one in BASELINES.values()} <= set(CODE)
    assert all((ROOT / "aegis" / part).exists() for part in CODE)
