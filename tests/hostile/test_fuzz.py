"""Damage at random, bounded: a mutated file is refused with one message or is plain tensors, and nothing else."""

import functools
import io
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import fuzz
from tests.hostile.pickles import system

BOUNDED = settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TRIED = {
    **{kind: (fuzz.attempt, mutations) for kind, mutations in fuzz.MUTATIONS.items()},
    **{
        kind: (functools.partial(fuzz.attempt_images, kind=kind), mutations)
        for kind, mutations in fuzz.IMAGE_MUTATIONS.items()
    },
    **{kind: (fuzz.attempt_picture, mutations) for kind, mutations in fuzz.PICTURE_MUTATIONS.items()},
    "bytes of no kind": (fuzz.attempt, st.binary(max_size=600)),
}


@pytest.mark.parametrize("kind", TRIED)
def test_mutated_files(kind, tmp_path):
    outcomes = fuzz.Outcomes()
    attempt, mutations = TRIED[kind]
    BOUNDED(given(mutations)(lambda content: attempt(content, folder=tmp_path, outcomes=outcomes)))()
    assert outcomes.tried >= 100
    assert outcomes.executed == 0
    # Damage that nothing refuses would be no test.
    assert outcomes.refused == outcomes.tried - outcomes.loaded > 0
    assert outcomes.loaded == 0 or kind != "bytes of no kind"


def test_the_canary_of_mutated_pickles_can_sing(tmp_path):
    """Read the ordinary way, one with code grafted into it runs it."""
    entries = fuzz.unzipped(fuzz.GOOD["torch zip"])
    name = next(name for name in entries if name.endswith("data.pkl"))
    evil = pickle.dumps(system(fuzz.CAGE), 2)
    entries[name] = entries[name][:2] + evil[2:-1] + b"0" + entries[name][2:]
    content = fuzz.zipped(entries)
    outcomes = fuzz.Outcomes()
    fuzz.attempt(content, tmp_path, outcomes)
    assert (outcomes.refused, outcomes.executed) == (1, 0)
    torch.load(io.BytesIO(content), weights_only=False)
    assert fuzz.CAGE.sang
    fuzz.CAGE.path.unlink()


def test_an_unmutated_file_loads(tmp_path):
    outcomes = fuzz.Outcomes()
    for content in fuzz.GOOD.values():
        fuzz.attempt(content, tmp_path, outcomes)
    assert (outcomes.loaded, outcomes.refused) == (len(fuzz.GOOD), 0)
