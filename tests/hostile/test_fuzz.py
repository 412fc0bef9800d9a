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
from tests.hostile.pictures import pack, photos

BOUNDED = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("kind", fuzz.MUTATIONS)
def test_mutated_files(kind, tmp_path):
    outcomes = fuzz.Outcomes()

    @BOUNDED
    @given(fuzz.MUTATIONS[kind])
    def run(content):
        fuzz.attempt(content, tmp_path, outcomes)

    run()
    assert outcomes.tried >= 100
    # Both ends are reached, or the damage would be no test.
    assert outcomes.refused > 0
    assert outcomes.executed == 0


@pytest.mark.parametrize("kind", fuzz.IMAGE_MUTATIONS)
def test_mutated_archives_of_images(kind, tmp_path):
    outcomes = fuzz.Outcomes()
    BOUNDED(given(fuzz.IMAGE_MUTATIONS[kind])(lambda content: fuzz.attempt_images(content, kind, tmp_path, outcomes)))()
    assert outcomes.tried >= 100
    assert outcomes.refused > 0
    assert outcomes.executed == 0


@pytest.mark.parametrize("kind", fuzz.PICTURE_MUTATIONS)
def test_mutated_pictures(kind, tmp_path):
    outcomes = fuzz.Outcomes()

    def run(content):
        pack(tmp_path / "packed.zip", photos(content))
        fuzz.attempt_images((tmp_path / "packed.zip").read_bytes(), ".zip", tmp_path, outcomes)

    BOUNDED(given(fuzz.PICTURE_MUTATIONS[kind])(run))()
    assert outcomes.refused > 0


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


def test_bytes_of_no_kind(tmp_path):
    outcomes = fuzz.Outcomes()
    run = functools.partial(fuzz.attempt, folder=tmp_path, outcomes=outcomes)
    BOUNDED(given(st.binary(max_size=600))(lambda content: run(content)))()
    assert outcomes.loaded == 0


def test_an_unmutated_file_loads(tmp_path):
    outcomes = fuzz.Outcomes()
    for content in fuzz.GOOD.values():
        fuzz.attempt(content, tmp_path, outcomes)
    assert (outcomes.loaded, outcomes.refused) == (len(fuzz.GOOD), 0)
