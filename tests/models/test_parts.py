"""Networks side by side in one state dictionary are told apart, and layers are not taken for networks."""

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.parts import choose_part, parts_of

NETWORK = {"conv.weight": torch.ones(2, 1, 3, 3), "head.weight": torch.ones(4, 2), "head.bias": torch.zeros(4)}
OTHER = {name: tensor + 1 for name, tensor in NETWORK.items()}


def beside(shared="", **networks):
    return {f"{shared}{key}.{name}": tensor for key, one in networks.items() for name, tensor in one.items()}


@pytest.mark.parametrize("shared", ["", "module."])
def test_two_that_differ_are_refused_and_found_by_name(shared):
    tensors = beside(shared, net=NETWORK, ema=OTHER)
    with pytest.raises(CheckpointError) as caught:
        choose_part(tensors, "state_dict", None)
    assert f"state_dict/{shared}ema (3 tensors" in caught.value.got
    chosen, name, others = choose_part(tensors, "state_dict", f"state_dict/{shared}ema")
    assert torch.equal(chosen["head.bias"], OTHER["head.bias"])
    assert (name, others) == (f"state_dict/{shared}ema", (f"state_dict/{shared}net",))


def test_copies_are_one_and_one_is_left_as_it_is():
    chosen, name, others = choose_part(beside(net=NETWORK, ema=NETWORK), "", None)
    assert (list(chosen), name, others) == (list(NETWORK), "net", ())
    assert choose_part(NETWORK, "model", "model") == (NETWORK, "model", ())
    assert choose_part(NETWORK, "model", None) == (NETWORK, "model", ())


@pytest.mark.parametrize(
    "tensors",
    [
        NETWORK,
        beside(net=NETWORK, ema=NETWORK) | {"loss.weight": torch.ones(4)},
        {f"{i}.{name}": torch.ones(3, 3) for i in range(3) for name in ("weight", "bias")},
        beside(module=NETWORK),
    ],
    ids=["one", "something else beside", "layers alike", "a prefix"],
)
def test_anything_else_is_one_network(tensors):
    assert parts_of(tensors) == {}


def test_a_name_that_is_none_is_told():
    for tensors in (NETWORK, beside(net=NETWORK, ema=OTHER)):
        with pytest.raises(CheckpointError):
            choose_part(tensors, "", "teacher")
