"""What is replayed computes what it computes without; a pretended GPU does the work anew at every replay."""

import contextlib
import threading

import pytest
import torch

from aegis.core import graphs
from aegis.core.graphs import AFTER, Repeated, Replays


class Pretended(graphs.Recording):
    """Does recorded work anew, from the tensors that it was recorded with."""

    made = 0

    def __init__(self, work, pool=None):
        type(self).made += 1
        self.work, self.made_now = work, work()

    @property
    def outcome(self):
        return self.made_now

    @outcome.setter
    def outcome(self, _):
        """The pretended memory keeps its history."""

    def repeat(self):
        with torch.enable_grad():
            self.made_now = self.work()
        return self.made_now.detach()


class Shared(graphs._Shared):
    def __init__(self):
        self.stream, self.pool, self.turn = None, None, 0


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    monkeypatch.setattr(graphs, "Recording", Pretended)
    monkeypatch.setattr(graphs, "_Shared", Shared)
    monkeypatch.setattr(graphs, "_beside", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(graphs.torch.cuda, "Stream", lambda: None)
    monkeypatch.setattr(Pretended, "made", 0)


def cubes(images):
    return (images**3).flatten(1)[:, :2]


def images(seed, count=3):
    return torch.rand(count, 1, 2, 2, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def gradient(replays, x):
    logits = replays(cubes, x)
    (found,) = torch.autograd.grad((logits * torch.tensor([1.0, -2.0])).sum(), x)
    return logits.detach(), found


def test_logits_and_gradients_are_the_same_recorded_or_not():
    replays = Replays()
    for seed in range(AFTER + 3):
        x = images(seed)
        logits, found = gradient(replays, x)
        assert torch.equal(logits, cubes(x).detach())
        (expected,) = torch.autograd.grad((cubes(x) * torch.tensor([1.0, -2.0])).sum(), x)
        assert torch.equal(found, expected)
    assert replays.recorded == 1


def test_only_shapes_that_come_often_are_recorded():
    replays = Replays()
    for seed in range(AFTER + 1):
        gradient(replays, images(seed))
    for seed in range(AFTER):
        gradient(replays, images(seed, count=2))
    assert replays.recorded == 1
    gradient(replays, images(0, count=2))
    assert replays.recorded == 2


def test_every_thread_records_for_itself():
    replays, seen = Replays(), []
    for seed in range(AFTER + 1):
        gradient(replays, images(seed))
    thread = threading.Thread(target=lambda: seen.append((gradient(replays, images(9)), replays.recorded)))
    thread.start()
    thread.join()
    assert seen[0][1] == 0
    assert replays.recorded == 1


def test_a_gradient_whose_memory_was_used_again_is_refused():
    replays = Replays()
    for seed in range(AFTER + 1):
        gradient(replays, images(seed))
    earlier, x = images(7), images(8)
    logits = replays(cubes, earlier)
    replays(cubes, x)
    with pytest.raises(RuntimeError, match="before that"):
        torch.autograd.grad(logits.sum(), earlier)


def test_what_cannot_be_recorded_runs_as_it_did(monkeypatch):
    def refuse(work, pool=None):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(graphs, "Recording", refuse)
    replays = Replays()
    for seed in range(AFTER + 2):
        x = images(seed)
        assert torch.equal(gradient(replays, x)[0], cubes(x).detach())
    assert replays.recorded == 0


class OnGpu(torch.Tensor):
    is_cuda = True


def test_repeated_work_takes_new_values_of_tensors_and_numbers():
    work = Repeated(lambda x, factor, offset: x * factor + offset)
    for i in range(AFTER + 3):
        x = torch.full((2,), float(i)).as_subclass(OnGpu)
        assert work(x, 2.0 * i, torch.tensor(float(i))).tolist() == [2.0 * i * i + i] * 2
    assert Pretended.made == 1


def test_on_a_processor_nothing_is_recorded():
    work = Repeated(lambda x: x + 1)
    for _ in range(AFTER + 3):
        assert work(torch.zeros(1)).item() == 1
    assert Pretended.made == 0
