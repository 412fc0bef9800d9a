"""All that a GPU runs also runs on a device that pretends to be one: nothing lies on the wrong side, no step waits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    command = [sys.executable, "-m", "tests.device.work"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_scan_finds_the_same_as_on_the_processor(found, precision):
    (here, there), apart = found["scans"][precision]["verdicts"], found["scans"][precision]["grey levels apart"]
    assert found["scans"][precision]["ran on"] == ["cpu", "pretended"]
    assert here == there
    assert apart <= 1


def test_training_ends_with_the_same_weights(found):
    assert found["training"]["furthest weight"] < 1e-5


def test_the_positive_control_runs_there(found):
    assert found["control"]["found"] == "ControlRecord"


def test_a_step_never_waits_for_the_device_and_launches_little(found):
    steps = found["steps"]
    assert steps["pgd"]["waits"] == steps["patch"]["waits"] == 0
    assert steps["pgd"]["operations"] < 70
    assert steps["patch"]["operations"] < 360


def test_what_a_gpu_refuses_is_refused(found):
    assert [name for name, refused in found["mistakes"].items() if not refused] == []
    assert len(found["mistakes"]) >= 10
