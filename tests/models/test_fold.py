"""Which batch norms are merged into convolutions, and that it changes nothing."""

import threading
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from aegis.models.architectures import build
from aegis.models.fold import fold_batch_norms, foldable_batch_norms

from .conftest import randomised

SHAPE = (3, 16, 16)


class Net(nn.Module):
    """Two convolutions and two batch norms, used in any way."""

    def __init__(self, way, norm=nn.BatchNorm2d):
        super().__init__()
        self.way = way
        self.conv, self.other_conv = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(2))
        self.norm, self.other_norm = norm(3), norm(3)

    def forward(self, x):
        return self.way(self, x)


class Rectified(nn.BatchNorm2d):
    """A batch norm that does more, which would be lost."""

    def forward(self, input):
        return super().forward(input).relu()


def plain(net, x):
    return net.norm(net.conv(x))


def beside(net, x):
    """In a list."""
    y = net.conv(x)
    return torch.cat([net.norm(y), y], dim=1)


def decides(net, x):
    y = net.conv(x)
    return net.norm(y) if y.sum() < 1e9 else -net.norm(y)


def shapes(net, x):
    """Shape and type of the convolution's output are asked for, which computes nothing from it."""
    y = net.conv(x)
    return net.norm(y).reshape(y.shape).to(y.dtype).view(len(y), y.size(1), *y.shape[2:])


NOT = {
    "one convolution feeds two": Net(lambda net, x: net.other_norm(net.conv(net.norm(net.conv(x)).relu()))),
    "one follows two convolutions": Net(lambda net, x: net.norm(net.other_conv(net.norm(net.conv(x))))),
    "the convolution's output is also used without": Net(beside),
    "the convolution's output also decides what is done": Net(decides),
    "the convolution's weight serves another one": Net(
        lambda net, x: net.norm(net.conv(functional.conv2d(x, net.conv.weight, padding=1)))
    ),
    "it takes its input by name": Net(lambda net, x: net.norm(input=net.conv(x))),
    "it does more": Net(plain, norm=Rectified),
    "it is of whatever is in the batch": Net(plain, norm=partial(nn.BatchNorm2d, track_running_stats=False)),
}


def found(network):
    pixels = torch.rand(2, *SHAPE)
    return foldable_batch_norms(network.eval(), lambda: network(pixels))


@pytest.mark.parametrize("network", NOT.values(), ids=NOT)
def test_what_is_used_elsewhere_or_does_more_is_not_folded(network):
    assert found(randomised(network)) == []


@pytest.mark.parametrize("way", [plain, shapes])
def test_a_folded_batch_norm_leaves_the_output_as_it_was(way):
    network = randomised(Net(way)).requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pixels = torch.rand(4, *SHAPE)
    output, pairs = network(pixels), found(network)
    assert pairs == [("conv", "norm")]
    # Looking leaves no hook and no statistics behind.
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    fold_batch_norms(network, pairs)
    assert isinstance(network.norm, nn.Identity)
    torch.testing.assert_close(network(pixels), output)


def test_all_batch_norms_of_a_residual_network_are_found():
    network = build("aegis:resnet18,width=8", 3, 10)
    norms = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert {norm for _, norm in found(network)} == norms
    assert len(norms) == 20


def test_other_threads_may_use_networks_meanwhile():
    other, said = randomised(Net(beside)), []
    pixels = torch.rand(1, *SHAPE)
    expected = other(pixels)

    def meanwhile(net, x):
        """Runs another network in another thread between its layers."""
        y = net.conv(x)
        thread = threading.Thread(target=lambda: said.append(other(pixels)))
        thread.start()
        thread.join()
        return net.norm(y)

    assert found(randomised(Net(meanwhile))) == [("conv", "norm")]
    assert torch.equal(said[0], expected)
