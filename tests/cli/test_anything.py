"""Whatever network and images a user names, a command ends in a result or in one message, never in a defect."""

import sys
import types
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.conftest import inside  # noqa: F401

from .anything import CHANGES, NETWORKS, Anything, arrays
from .conftest import run

BOUNDED = partial(settings, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
MEASURE = ("evaluate", "--iterations", "1", "--mean", "0", "--std", "1")
SCAN = ("scan", "--preset", "paper", "--seeds", "10", "--perplexity", "3", "--iterations", "1", "--workers", "1")
PLAIN = {"layers": ("conv", "relu"), "habit": "none", "ending": "logits"}


def tried(folder, command, network, channels=1, **changes):
    """What a command says of a network, saved as it is, and of images."""
    build = partial(Anything, **network)
    module = types.ModuleType("anything_net")
    module.build = lambda in_channels, classes: build(in_channels, classes)
    images, bias = arrays(network, channels)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setitem(sys.modules, "anything_net", module)
        try:
            state = build(channels, 2).state_dict()
            state["head.bias"][1] += bias
            torch.save({name: tensor.clone() for name, tensor in state.items()}, folder / "a.pt")
        except Exception:  # no such network can be made
            torch.save({}, folder / "a.pt")
        np.savez(folder / "a.npz", **images | {name: change(images[name]) for name, change in changes.items()})
        return run(*command, folder / "a.pt", "--arch", "anything_net:build", "--data", folder / "a.npz", "--quiet")


def check(outcome, codes):
    """An exit code that is not that of a defect, and one message where there is no result."""
    assert outcome.code in codes, outcome.err
    lines = outcome.err.splitlines()
    assert all(line.isprintable() for line in lines)
    assert outcome.code != 2 or (len(lines) == 1 and lines[0].startswith("aegis: Expected ")), outcome.err


@pytest.mark.usefixtures("inside")
def test_any_network_is_measured_or_refused(tmp_path):
    codes = []

    def attempt(network):
        outcome = tried(tmp_path, MEASURE, network)
        check(outcome, (0, 2))
        codes.append(outcome.code)

    BOUNDED(max_examples=25)(given(NETWORKS)(attempt))()
    assert {*codes} == {0, 2}


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("habit", ["raises later", "leaves later"])
def test_code_that_ends_in_the_middle_of_a_scan_chooses_no_verdict(tmp_path, habit):
    outcome = tried(tmp_path, (*SCAN, "--mean", "0", "--std", "1"), PLAIN | {"habit": habit})
    check(outcome, (2,))
    assert "code of your own that runs" in outcome.err
    assert ", in anything.py, line " in outcome.err


@pytest.mark.usefixtures("inside")
def test_any_images_are_measured_or_refused(tmp_path):
    codes = []

    def attempt(channels, array, change):
        outcome = tried(tmp_path, MEASURE, PLAIN, channels, **{array: CHANGES[change]})
        check(outcome, (0, 2))
        codes.append(outcome.code)

    names = st.sampled_from(["x_train", "y_train", "x_test", "y_test"])
    BOUNDED(max_examples=25)(
        given(channels=st.sampled_from([1, 3]), array=names, change=st.sampled_from(sorted(CHANGES)))(attempt)
    )()
    assert {*codes} == {0, 2}
