"""Training in a process of its own, killed without warning."""

import signal
import subprocess
import sys
from pathlib import Path

import torch

from aegis.lab.recipes import Recipe
from aegis.lab.train import train

from .conftest import fresh, quadrants, state_digest

RECIPE = Recipe(robust=False, epochs=16, batch=32, lr=0.05, schedule="one-cycle")
BATCHES = 3  # an epoch, of 80 images
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path

import torch

from tests.lab.test_kill import RECIPE, fresh, quadrants, train

torch.set_num_threads(1)
images = quadrants(2, 80)
train(fresh(images), images, RECIPE, state=Path(sys.argv[1]), report=lambda event: print(event.step, flush=True))
"""
# Every step is told, however soon it comes after the one before.
EVERY = "from aegis.core.runtime import Throttle\nThrottle.due = lambda *_: True\n"


def train_until_killed(state: Path, step: int) -> int:
    """The last step that a training process told before it was killed, some time after the given one."""
    command = [sys.executable, "-c", EVERY + SCRIPT, str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        told = [int(process.stdout.readline()) for _ in range(step)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split()]
    assert process.returncode == -signal.SIGKILL
    return told[-1]


def test_a_killed_training_loses_at_most_one_epoch_and_ends_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("aegis.lab.train.Throttle.due", lambda *_: True)
    images, state, steps = quadrants(2, 80), tmp_path / "state", []
    last = train_until_killed(state, 8)
    assert last < BATCHES * RECIPE.epochs
    assert torch.load(state, weights_only=True)["epoch"] >= 2
    resumed = train(fresh(images), images, RECIPE, state=state, report=lambda event: steps.append(event.step))
    # A whole epoch at most is done again: the one that it was killed in, or was about to keep.
    assert last - BATCHES < steps[0] <= last + 1
    assert steps == list(range(steps[0], BATCHES * RECIPE.epochs + 1))
    assert state_digest(resumed) == state_digest(train(fresh(images), images, RECIPE))
