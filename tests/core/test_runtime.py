import time

import numpy as np
import pytest
import torch

from aegis.core.errors import ConfigError
from aegis.core.runtime import (
    DEVICES,
    PRECISIONS,
    Event,
    Runtime,
    Throttle,
    at_hand,
    choose_runtime,
    numpy_generator,
    torch_generator,
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"device": "tpu"}, "a device among auto, cpu, cuda"),
        ({"precision": "fp16"}, "a precision among auto, fp32, bf16"),
        ({"workers": 0}, "at least 1 worker"),
    ],
)
def test_what_cannot_be_chosen_is_refused(settings, expected):
    with pytest.raises(ConfigError, match=expected):
        choose_runtime(**settings)


def test_cuda_is_refused_where_there_is_none(monkeypatch):
    assert DEVICES[0] == PRECISIONS[0] == "auto"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="a CUDA device"):
        choose_runtime("cuda")
    assert choose_runtime("auto").device == "cpu"


@pytest.mark.parametrize("has", [False, True])
def test_bfloat16_is_chosen_where_the_processor_has_it(monkeypatch, has):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has)
    assert choose_runtime("cpu").precision == ("bf16" if has else "fp32")
    assert choose_runtime("cpu", "fp32").dtype == torch.float32
    assert choose_runtime("cpu", "bf16").dtype == torch.bfloat16


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_a_gpu_gets_four_workers_and_bfloat16_if_it_has_it(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr("aegis.core.runtime.cores", lambda: 16)
    assert choose_runtime() == Runtime("cuda", precision, 4)


@pytest.mark.parametrize("has", [False, True])
def test_what_a_gpu_computed_is_repeated_where_there_is_none(monkeypatch, has):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has)
    assert at_hand("cuda") == ("cuda" if has else "cpu")
    assert at_hand("cpu") == "cpu"


def test_a_gpu_computes_float32_in_full_and_the_same_every_time(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    Runtime("cpu").settle()
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == (True, False)
    Runtime("cuda").settle()
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == (False, True)
    assert not torch.backends.cuda.matmul.allow_tf32


def test_there_is_a_worker_for_every_core_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 5})
    assert choose_runtime("cpu").workers == 3
    assert choose_runtime("cpu", workers=2).workers == 2
    # Where the system does not say which, all of them count.
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    assert choose_runtime("cpu").workers == 5


def test_generators_depend_on_every_integer_and_nothing_else():
    pairs = ((numpy_generator, lambda g: g.random()), (torch_generator, lambda g: float(torch.rand(1, generator=g))))
    for make, draw in pairs:
        np.random.seed(1)  # noqa: NPY002 - to show that the global generator plays no part
        torch.manual_seed(1)
        first = draw(make(3, 4))
        np.random.seed(2)  # noqa: NPY002
        torch.manual_seed(2)
        assert draw(make(3, 4)) == first
        assert len({first, draw(make(4, 3)), draw(make(3, 5)), draw(make(3)), draw(make(3, 4, 1))}) == 5


def test_a_throttle_lets_few_reports_through_and_always_the_last(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    told = []
    throttle = Throttle(told.append, interval=1.0)
    for step in range(1, 11):
        throttle.send(Event(stage="train", step=step, total=10))
        clock[0] += 0.3
    assert [event.step for event in told] == [1, 5, 9, 10]
