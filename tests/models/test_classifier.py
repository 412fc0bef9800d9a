import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime
from aegis.models.architectures import ARCHITECTURES, build
from aegis.models.classifier import MAX_SIDE, Classifier
from aegis.models.published import PUBLISHED

from .conftest import randomised

BF16 = Runtime("cpu", "bf16")
SHAPE = (3, 16, 16)


class OneReLU(nn.Module):
    """One ReLU serves maps and vectors alike, as in many a tutorial."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.hidden, self.head = nn.Linear(4 * 14 * 14, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.hidden(self.relu(self.conv(x)).flatten(1))))


@pytest.mark.parametrize(
    ("architecture", "flat", "pooled"),
    [("aegis:cnn16", 64 * 7 * 7, 64), ("aegis:resnet18,width=8", 64 * 4 * 4, 64)],
)
def test_features_are_the_last_map_and_pooled_ones_the_heads_input(architecture, flat, pooled):
    shape = (1, 28, 28)
    classifier = Classifier(build(architecture, 1, 10).eval(), shape)
    pixels = torch.rand(3, *shape)
    spatial = classifier.features(pixels)
    assert spatial.shape == (3, flat)
    # Rectified.
    assert spatial.min() == 0
    assert 0.05 < (spatial > 0).float().mean() < 0.95
    vector = classifier.features(pixels, pooled=True)
    assert vector.shape == (3, pooled)
    # Average pooling lies between the two, and the head takes what it gives.
    torch.testing.assert_close(spatial.view(3, pooled, -1).mean(2), vector)
    head = classifier.network.get_submodule(classifier.head)
    torch.testing.assert_close(head(vector), classifier.logits(pixels))


LIBRARIES = ("timm:resnet10t", "timm:test_efficientnet", "torchvision:mobilenet_v3_small")


@pytest.mark.parametrize(
    "architecture",
    [*(f"aegis:{name},width=16" for name in sorted(ARCHITECTURES.keys() - PUBLISHED.keys())), *LIBRARIES],
)
def test_a_frozen_copy_gives_the_same_logits(architecture):
    classifier = Classifier(randomised(build(architecture, 3, 10)), (3, 32, 32), (0.5, 0.4, 0.3), (0.2, 0.3, 0.25))
    pixels = torch.rand(8, 3, 32, 32)
    logits, features = classifier.logits(pixels), classifier.features(pixels)
    scale = logits.abs().max()
    fast = classifier.frozen(Runtime())
    left = [m for m in fast.network.modules() if isinstance(m, nn.BatchNorm2d)]
    # Before a convolution, behind a sum or a rectifier, there is nothing to fold one into.
    assert bool(left) == (architecture.partition(",")[0] in ("aegis:preact", "aegis:wide")) or architecture in LIBRARIES
    assert (fast.logits(pixels) - logits).abs().max() <= 1e-4 * scale.clamp(min=1)
    torch.testing.assert_close(fast.features(pixels), features, rtol=1e-3, atol=1e-3)
    half = classifier.frozen(BF16)
    assert half.logits(pixels).dtype == torch.float32
    assert (half.logits(pixels) - logits).abs().max() <= 0.05 * scale
    # The original is as it was: in float32, with its batch norms and its gradients.
    assert torch.equal(classifier.logits(pixels), logits)
    assert all(p.requires_grad for p in classifier.network.parameters())
    assert not any(p.requires_grad for p in fast.parameters())


def test_gradients_reach_the_pixels_of_a_frozen_copy(network):
    classifier = Classifier(network, (1, 28, 28))
    pixels = torch.rand(2, 1, 28, 28)

    def gradient(c: Classifier) -> Tensor:
        leaf = pixels.clone().requires_grad_()
        return torch.autograd.grad(c(leaf)[:, 3].sum(), leaf)[0]

    torch.testing.assert_close(gradient(classifier.frozen(Runtime())), gradient(classifier), rtol=1e-3, atol=1e-4)


def test_normalisation_is_inside_and_without_maps_the_heads_input_is_the_features():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    pixels = torch.rand(5, *SHAPE)
    outside = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    classifier = Classifier(network, SHAPE, mean, std)
    torch.testing.assert_close(classifier.logits(pixels), network(outside).detach())
    torch.testing.assert_close(classifier.features(pixels), outside.flatten(1))


def test_a_shared_relu_does_not_hide_the_last_map():
    classifier = Classifier(OneReLU(), SHAPE)
    pixels = torch.rand(3, *SHAPE)
    found = classifier.features(pixels)
    torch.testing.assert_close(found, functional.relu(classifier.network.conv(pixels)).detach().flatten(1))
    assert classifier.features(pixels, pooled=True).shape == (3, 5)


def test_batches_do_not_change_the_answer(network):
    classifier = Classifier(network, (1, 28, 28))
    pixels = torch.rand(7, 1, 28, 28)
    one_by_one = torch.cat([classifier.logits(image[None]) for image in pixels])
    torch.testing.assert_close(classifier.logits(pixels), one_by_one)


def test_making_a_classifier_changes_no_statistics(network):
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    Classifier(network, (1, 28, 28))
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("network", "got"),
    [
        (nn.Conv2d(3, 4, 3), r"shape \(2, 4, 14, 14\)"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4, 2)), "RuntimeError"),
        (nn.Sequential(nn.Flatten(), nn.Linear(5, 2)), "RuntimeError"),
        (nn.LSTM(16, 4), "AttributeError|RuntimeError|ValueError"),
    ],
)
def test_networks_that_do_not_fit_are_refused(network, got):
    with pytest.raises(CheckpointError, match=got):
        Classifier(network, SHAPE)


def test_images_may_be_large_but_not_too_large():
    network = nn.Sequential(nn.Conv2d(3, 2, 7, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1000))
    classifier = Classifier(network, (3, MAX_SIDE, MAX_SIDE))
    assert classifier.logits(torch.rand(1, 3, MAX_SIDE, MAX_SIDE)).shape == (1, 1000)
    with pytest.raises(CheckpointError, match="at most 224"):
        Classifier(network, (3, MAX_SIDE + 1, 32))
