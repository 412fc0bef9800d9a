"""A file with several networks that differ is never read as one of them without its name."""

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.intake import entries
from aegis.models.intake.entries import Entry, choose, entries_in, shared_prefix
from aegis.models.intake.formats import TOP

GOOD = {"conv.weight": torch.arange(8.0).reshape(2, 4), "conv.bias": torch.zeros(2)}
BAD = {name: tensor + 1 for name, tensor in GOOD.items()}
SAME = {f"module.{name}": tensor.clone() for name, tensor in GOOD.items()}
MOMENTS = {0: {"exp_avg": torch.ones(2, 4)}, 1: {"exp_avg": torch.ones(2)}}

# Ten layouts in which programs keep a network beside another one.
LAYOUTS = {
    "timm": lambda one, other: {"state_dict": one, "state_dict_ema": other, "epoch": 3},
    "model and average": lambda one, other: {"model": one, "model_ema": other},
    "average first": lambda one, other: {"ema": one, "model": other},
    "student and teacher": lambda one, other: {"student": one, "teacher": other, "loss": 0.1},
    "nested": lambda one, other: {"checkpoint": {"net": one, "swa": {"net": other}}},
    "a list": lambda one, other: [one, other],
    "in a list": lambda one, other: {"models": [one, other], "names": ["a", "b"]},
    "best and last": lambda one, other: {"best": {"state_dict": one}, "last": {"state_dict": other}},
    "beside itself": lambda one, other: {**one, "ema": other},
    "an average without names": lambda one, other: {"model": one, "shadow_params": list(other.values())},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(("first", "second"), [(GOOD, BAD), (BAD, GOOD)], ids=["in the second", "in the first"])
def test_two_that_differ_are_refused_and_each_is_found_by_its_name(layout, first, second):
    content = layout(first, second)
    with pytest.raises(CheckpointError) as caught:
        choose(content, None)
    found = entries_in(content)
    assert len(found) == 2
    for entry in found:
        assert str(entry) in caught.value.got
        chosen, others = choose(content, entry.name)
        assert (chosen.name, others) == (entry.name, tuple(one.name for one in found if one is not entry))
        assert str(chosen) == str(entry)


@pytest.mark.parametrize("name", ["timm", "a list", "nested"])
@pytest.mark.parametrize("copy", [GOOD, SAME], ids=["the same", "with a prefix"])
def test_copies_of_one_network_are_one(name, copy):
    chosen, others = choose(LAYOUTS[name](GOOD, copy), None)
    assert chosen.content is GOOD
    assert others == ()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"net": GOOD, "epoch": 3}, "net"),
        ({"state_dict": GOOD, "mean": torch.zeros(3), "std": torch.ones(3)}, "state_dict"),
        ({"model": GOOD, "optimizer": {"state": MOMENTS, "param_groups": [{"lr": 0.1}]}}, "model"),
        ([GOOD, {"lr": 0.1}], "0"),
        ({"netC": GOOD, "grid": torch.rand(1, 2, 2, 2)}, "netC"),
        ({"model": GOOD, "seen": [torch.rand(3, 3), torch.rand(3, 3)]}, "model"),
        ({"model": GOOD, "data": {i: {"path": "a.png", "info": (3, 0)} for i in range(20_000)}}, "model"),
        (GOOD, TOP),
    ],
    ids=["another name", "a normalisation", "an optimiser", "a list", "a grid", "images", "data", "nothing else"],
)
def test_a_single_network_is_found_wherever_it_lies(content, name):
    chosen, others = choose(content, None)
    assert (chosen.name, others) == (name, ())
    assert chosen.content is GOOD


def test_a_name_that_is_none_is_told_with_those_there_are():
    with pytest.raises(CheckpointError) as caught:
        choose({"net": GOOD, "ema": BAD}, "teacher")
    assert "net (2 tensors, 10 numbers" in caught.value.got
    # A name may go on inside the entry, for parts of one dictionary.
    assert choose({"net": GOOD, "ema": BAD}, "ema/part")[0].name == "ema"


def test_containers_that_hold_themselves_end_and_too_many_are_refused(monkeypatch):
    round_and_round = {"model": GOOD}
    round_and_round["self"] = round_and_round
    assert choose(round_and_round, None)[0].content is GOOD
    deep = [GOOD]
    for _ in range(20):
        deep = [deep]
    with pytest.raises(CheckpointError):
        choose(deep, None)
    monkeypatch.setattr(entries, "MOST", 100)
    with pytest.raises(CheckpointError):
        choose([[i] for i in range(100)], None)


def test_a_digest_tells_values_and_shapes_apart_but_not_precision():
    digests = {Entry("", one).digest for one in (GOOD, BAD, {"conv.weight": GOOD["conv.weight"].T})}
    assert len(digests) == 3
    half = {name: tensor.half() for name, tensor in GOOD.items()}
    assert Entry("", half).digest == Entry("", GOOD).digest == Entry("", SAME).digest
    assert shared_prefix(["module.a.b", "module.a.c"]) == "module.a."
    assert shared_prefix(["a", "a.b"]) == ""


def test_weights_of_a_loss_are_no_second_network_unless_they_have_the_shapes_of_one():
    centres = {"centers": torch.ones(10, 4)}
    chosen, others = choose({"model": GOOD, "criterion": centres, "center_loss": [centres]}, None)
    assert (chosen.name, others) == ("model", ())
    assert choose({"criterion": BAD}, None)[0].name == "criterion"
    with pytest.raises(CheckpointError, match=r"2 networks: model .*, criterion "):
        choose({"model": GOOD, "criterion": BAD}, None)
