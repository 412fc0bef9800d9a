"""Which batch norms are merged into convolutions, and that it changes nothing."""

import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from aegis.models.architectures import build
from aegis.models.fold import fold_batch_norms, foldable_batch_norms

from .conftest import randomised

SHAPE = (3, 16, 16)


def conv():
    return nn.Conv2d(3, 3, 3, padding=1)


class Plain(nn.Module):
    """A convolution that feeds a batch norm, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = conv(), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class OneConv(nn.Module):
    """One convolution feeds two batch norms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.first, self.second = conv(), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.conv(functional.relu(self.first(self.conv(x)))))


class OneNorm(nn.Module):
    """One batch norm follows two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.norm = conv(), conv(), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.second(self.norm(self.first(x))))


class Beside(Plain):
    """The convolution's output is also used without the batch norm, in a list."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.cat([self.norm(y), y], dim=1)


class Decides(Plain):
    """The convolution's output also decides what is done."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y) if y.sum() < 1e9 else -self.norm(y)


class Tied(Plain):
    """The convolution's weight serves another one."""

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(functional.conv2d(x, self.conv.weight, padding=1)))


class Named(Plain):
    """The batch norm takes its input by name."""

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(input=self.conv(x))


class Rectified(nn.BatchNorm2d):
    """A batch norm that does more."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).relu()


class Derived(Plain):
    """Folded, the batch norm would lose what it does more."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = Rectified(3)


class Untracked(Plain):
    """A batch norm of whatever is in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)


class Shapes(Plain):
    """The convolution's output is asked for its shape and type, which computes nothing from it."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y).reshape(y.shape).to(y.dtype).view(len(y), y.size(1), *y.shape[2:])


def found(network):
    pixels = torch.rand(2, *SHAPE)
    return foldable_batch_norms(network.eval(), lambda: network(pixels))


NOT = [OneConv, OneNorm, Beside, Decides, Tied, Named, Derived, Untracked]


@pytest.mark.parametrize("network", NOT)
def test_what_is_used_elsewhere_or_does_more_is_not_folded(network):
    assert found(randomised(network())) == []


@pytest.mark.parametrize("network", [Plain, Shapes])
def test_a_folded_batch_norm_leaves_the_output_as_it_was(network):
    network = randomised(network()).requires_grad_(False)
    pixels = torch.rand(4, *SHAPE)
    before, pairs = network(pixels), found(network)
    assert pairs == [("conv", "norm")]
    fold_batch_norms(network, pairs)
    assert isinstance(network.norm, nn.Identity)
    torch.testing.assert_close(network(pixels), before)


def test_all_batch_norms_of_a_residual_network_are_found():
    network = build("aegis:resnet18,width=8", 3, 10)
    norms = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert {norm for _, norm in found(network)} == norms
    assert len(norms) == 20


def test_looking_leaves_no_hook_and_no_statistics_behind():
    network = randomised(Plain())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found(network)
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_other_threads_may_use_networks_meanwhile():
    other, said = randomised(Beside()), []
    pixels = torch.rand(1, *SHAPE)
    expected = other(pixels)

    class Meanwhile(Plain):
        """Runs another network in another thread between its layers."""

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            thread = threading.Thread(target=lambda: said.append(other(pixels)))
            thread.start()
            thread.join()
            return self.norm(y)

    assert found(randomised(Meanwhile())) == [("conv", "norm")]
    assert torch.equal(said[0], expected)
