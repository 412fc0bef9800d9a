"""Logits are found in whatever a network returns, and probabilities are undone."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.outputs import FLOOR, Reading, find_path, form_of

torch.manual_seed(0)
LOGITS, HIDDEN = torch.randn(4, 10), torch.randn(4, 7)
Pair = namedtuple("Pair", ["hidden", "logits"])


@dataclass
class Output:
    loss: None
    logits: torch.Tensor


class OnlyAProperty:
    __slots__ = ()

    @property
    def logits(self):
        return LOGITS


@pytest.mark.parametrize(
    ("returned", "classes", "path"),
    [
        (LOGITS, None, ()),
        ((LOGITS, HIDDEN), None, (0,)),
        ((HIDDEN, LOGITS), 10, (1,)),
        ([None, LOGITS], None, (1,)),
        ((LOGITS, LOGITS + 1), 10, (0,)),
        ((torch.rand(4), LOGITS), None, (1,)),
        (Pair(HIDDEN, LOGITS), None, ("logits",)),
        ({"features": HIDDEN, "Logits": LOGITS}, None, ("Logits",)),
        ({"output": LOGITS, "aux": LOGITS + 1}, 10, ("output",)),
        ({"aux": {"out": LOGITS + 1}, "out": LOGITS}, None, ("out",)),
        ({"head": {"deep": LOGITS}, "labels": torch.ones(4, 10, dtype=torch.long)}, None, ("head", "deep")),
        (OrderedDict(logits=LOGITS), None, ("logits",)),
        (Output(None, LOGITS), None, ("logits",)),
        (SimpleNamespace(z=LOGITS, map=torch.rand(4, 10, 2, 2)), None, ("z",)),
        (OnlyAProperty(), None, ("logits",)),
    ],
)
def test_logits_are_found_by_width_name_or_place(returned, classes, path):
    assert find_path(returned, 4, classes) == path
    reading = Reading(path)
    assert torch.equal(reading.logits(returned, 4), LOGITS)
    assert bool(reading.notes) == bool(path)


def test_where_nothing_tells_logits_apart_all_are_named():
    with pytest.raises(CheckpointError, match=r"2 tensors .*: a \(10\), b/c \(10\)"):
        find_path({"a": LOGITS, "b": {"c": LOGITS}}, 4, 10)


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "NoneType without tensors"),
        ({"loss": torch.tensor(1.0)}, r"dict with shape \(\)"),
        (torch.rand(4, 10, 3, 3), r"Tensor with shape \(4, 10, 3, 3\)"),
        (torch.ones(4, 10, dtype=torch.long), r"Tensor with shape \(4, 10\)"),
    ],
)
def test_what_holds_no_logits_is_refused(returned, got):
    with pytest.raises(CheckpointError, match=rf"one row per image; got {got}\. Return them"):
        find_path(returned, 4, None)


def test_axes_of_one_are_no_obstacle():
    assert torch.equal(Reading().logits(LOGITS[:, :, None, None].double(), 4), LOGITS)
    # As a squeeze leaves a single image.
    assert torch.equal(Reading().logits(LOGITS[0], 1), LOGITS[:1])


def test_the_form_is_told_by_content():
    assert form_of(LOGITS, LOGITS) == "logits"
    assert form_of(LOGITS.softmax(1), LOGITS) == "softmax"
    assert form_of(LOGITS.log_softmax(1), LOGITS) == "log-softmax"
    assert form_of(LOGITS.sigmoid(), LOGITS) == "sigmoid"
    # Numbers from 0 to 1 alone are no proof of a sigmoid.
    assert form_of(LOGITS.sigmoid(), None) == "logits"
    assert form_of(LOGITS[:, :1].sigmoid(), LOGITS[:, :1]) == "sigmoid"
    assert form_of(torch.ones(4, 1), None) == "logits"


def test_probabilities_become_logits_again():
    undone = Reading(form="softmax").logits(LOGITS.softmax(1), 4)
    torch.testing.assert_close(undone, LOGITS.log_softmax(1))
    torch.testing.assert_close(Reading(form="sigmoid").logits(LOGITS.sigmoid(), 4), LOGITS, rtol=1e-4, atol=1e-4)
    sure = torch.tensor([[1.0, 0.0]], requires_grad=True)
    for form, least in (("softmax", FLOOR), ("sigmoid", FLOOR)):
        logits = Reading(form=form).logits(sure, 1)
        assert logits[0, 1] == torch.tensor(least).log()
        assert torch.autograd.grad(logits.sum(), sure)[0].isfinite().all()


def test_one_number_stands_for_two_classes():
    reading = Reading(single=True)
    z = torch.tensor([2.0, -1.0])
    assert reading.logits(z, 2).tolist() == [[0.0, 2.0], [0.0, -1.0]]
    torch.testing.assert_close(reading.logits(z, 2).softmax(1)[:, 1], z.sigmoid())
    assert find_path((torch.rand(4, 3), torch.rand(4, 1)), 4, 2) == (1,)
