"""Convolutions joined with their ReLUs, which compute the same bit for bit."""

import pytest
import torch
from torch import nn

from aegis.core.runtime import Runtime
from aegis.models.classifier import Classifier
from aegis.models.rectify import RectifiedConvolution, can_join, join_rectified, rectified_convolutions

SHAPE = (3, 8, 8)
PRECISIONS = [name for name in ("fp32", "bf16") if can_join(Runtime("cpu", name).dtype)]
pytestmark = pytest.mark.skipif(not PRECISIONS, reason="this build of torch joins nothing")


class Net(nn.Module):
    """A convolution, a ReLU and a head, called in a way of its own."""

    def __init__(self, way, relu=None, **options):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, **{"padding": 1, **options})
        self.block = nn.Sequential(self.conv)
        self.relu, self.head, self.way = relu or nn.ReLU(), nn.Linear(4, 5), way

    def forward(self, x):
        return self.head(self.way(self, x).mean((2, 3)))


def plain(net, x):
    return net.relu(net.conv(x))


NOT = {
    "the output is also used without": (Net(lambda net, x: net.relu(y := net.conv(x)) + y), ""),
    "the ReLU is called twice": (Net(lambda net, x: net.relu(net.relu(net.conv(x)))), ""),
    "the ReLU changes its input": (Net(plain, nn.ReLU(inplace=True)), ""),
    "it is no ReLU": (Net(plain, nn.GELU()), ""),
    "its edges are mirrored": (Net(plain, padding_mode="reflect"), ""),
    "its padding is a word": (Net(plain, padding="same"), ""),
    "features are read before the ReLU": (Net(plain), "conv"),
    "features are read from what ends with it": (Net(lambda net, x: net.relu(net.block(x))), "block"),
}


def found(network, read=""):
    pixels = torch.rand(2, *SHAPE)
    return rectified_convolutions(network.eval().requires_grad_(False), lambda: network(pixels), read)


@pytest.mark.parametrize(("network", "read"), NOT.values(), ids=NOT)
def test_what_is_used_otherwise_stays_apart(network, read):
    assert found(network, read) == []


def test_looking_leaves_no_hook():
    network = Net(plain)
    assert found(network) == [("conv", "relu")]
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_logits_features_and_gradients_stay_as_they_were(precision):
    torch.manual_seed(0)
    layers = []
    for given, kept, stride in ((3, 8, 1), (8, 16, 2)):
        layers += [nn.Conv2d(given, kept, 3, stride, 1), nn.BatchNorm2d(kept), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))
    classifier, pixels = Classifier(network, SHAPE), torch.rand(6, *SHAPE)
    joined = classifier.frozen(Runtime("cpu", precision))
    assert sum(isinstance(module, RectifiedConvolution) for module in joined.network) == 2
    apart = classifier.frozen(Runtime("cpu", precision))
    for i in (0, 3):
        apart.network[i], apart.network[i + 2] = apart.network[i].conv, nn.ReLU()
    assert torch.equal(joined.logits(pixels), apart.logits(pixels))
    assert torch.equal(joined.features(pixels), apart.features(pixels))
    gradients = []
    for one in (joined, apart):
        leaf = pixels.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(one(leaf).square().sum(), leaf)
        gradients.append(gradient)
    assert torch.equal(*gradients)
    assert gradients[0].abs().max() > 0


def test_a_network_without_batch_norms_is_joined_as_well():
    network = Net(plain).eval().requires_grad_(False)
    pixels = torch.rand(4, *SHAPE)
    before = network(pixels)
    join_rectified(network, [("conv", "relu")])
    assert isinstance(network.relu, nn.Identity)
    torch.testing.assert_close(network(pixels), before)
