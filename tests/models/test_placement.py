"""Networks that keep numbers of their own run wherever they can, and say where they cannot."""

import pytest
import torch
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime
from aegis.models.classifier import Classifier
from aegis.models.placement import Placement, find_placement

SHAPE = (3, 8, 8)
BF16 = Runtime("cpu", "bf16", workers=3)
CUDA = Runtime("cuda", "bf16", workers=3)


def body():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))


class Attributes(nn.Module):
    """Normalises with tensors that are no buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.mean, self.size = body(), torch.full((1, 3, 1, 1), 0.5), torch.tensor(8)

    def forward(self, x):
        return self.net((x - self.mean) / 0.25)


class Exact(nn.Module):
    """Insists on float32."""

    def __init__(self) -> None:
        super().__init__()
        self.net = body()

    def forward(self, x):
        return self.net(x.float() - 0.5)


class OnNumPy(Exact):
    def forward(self, x):
        return self.net(torch.from_numpy(x.detach().numpy()))


def test_tensors_that_are_plain_attributes_are_converted_in_the_copy_alone():
    classifier = Classifier(Attributes(), SHAPE).eval()
    pixels = torch.rand(4, *SHAPE)
    fast = classifier.frozen(BF16)
    assert classifier.fitted(BF16) == fast.runtime == BF16
    assert (fast.network.mean.dtype, fast.network.size.dtype) == (torch.bfloat16, torch.int64)
    assert classifier.network.mean.dtype == torch.float32
    torch.testing.assert_close(fast.logits(pixels), classifier.logits(pixels), rtol=0.05, atol=0.05)
    # Where nothing fails nothing is converted.
    assert torch.equal(classifier.frozen(Runtime()).logits(pixels), classifier.logits(pixels))


def test_a_network_of_float32_alone_is_run_in_float32():
    classifier = Classifier(Exact(), SHAPE).eval()
    assert classifier.fitted(BF16) == Runtime("cpu", "fp32", workers=3)
    fast, pixels = classifier.frozen(BF16), torch.rand(4, *SHAPE)
    assert fast.runtime.precision == "fp32"
    assert torch.equal(fast.logits(pixels), classifier.logits(pixels))


def test_the_nearest_placement_is_taken_and_found_once():
    tried = []

    def only_on_the_processor(placement):
        tried.append(placement)
        if placement.runtime.device == "cuda":
            raise RuntimeError("mat1 and mat2")

    assert find_placement(CUDA, only_on_the_processor) == Placement(Runtime("cpu", "fp32", workers=3))
    exact = Runtime("cuda", "fp32", workers=3)
    assert tried[:3] == [Placement(CUDA), Placement(CUDA, own=True), Placement(exact, own=True)]
    with pytest.raises(torch.OutOfMemoryError):
        find_placement(CUDA, full)
    classifier = Classifier(body(), SHAPE).eval()
    classifier._try = tried.append
    del tried[:]
    assert [classifier.fitted(BF16), classifier.fitted(Runtime("cpu", "bf16"))] == [BF16, Runtime("cpu", "bf16")]
    assert tried == [Placement(BF16)]


def full(_):
    raise torch.OutOfMemoryError


def test_what_has_no_gradient_is_refused_with_its_own_words():
    classifier = Classifier(OnNumPy(), SHAPE).eval()
    with pytest.raises(CheckpointError, match=r"run on cpu in fp32.* got RuntimeError: .*grad.*no torch.no_grad"):
        classifier.frozen(Runtime())


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weights_that_a_hook_computes_can_be_copied():
    network = nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(192, 5)))
    classifier, pixels = Classifier(network, SHAPE).eval(), torch.rand(4, *SHAPE)
    fast = classifier.frozen(Runtime())
    assert torch.equal(fast.logits(pixels), network(pixels).detach())
    # Training goes on as before.
    assert torch.autograd.grad(classifier(pixels).sum(), network[1].weight_g)[0].isfinite().all()


def test_a_copy_can_be_made_where_gradients_are_off():
    with torch.inference_mode():
        assert Classifier(Exact(), SHAPE).eval().frozen(BF16).runtime.precision == "fp32"
