"""Which layers give logits and features: a table of small networks of each kind."""

import pytest
import timm
import torch
import torchvision
from timm.models.mlp_mixer import MlpMixer
from torch import nn
from torch.nn import functional

from aegis.core.errors import CheckpointError
from aegis.models.anatomy import examine
from aegis.models.classifier import Classifier

from .conftest import randomised

SHAPE = (3, 32, 32)
SMALL = {"img_size": 32, "num_classes": 10}
TINY = SMALL | {"patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}


class Cosine(nn.Module):
    """Logits are cosines of features and prototypes, which no layer of torch computes."""

    def __init__(self, own: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = Prototypes() if own else None
        self.weight = nn.Parameter(torch.randn(10, 8))

    def forward(self, x):
        hidden = self.body(x)
        return 5 * (functional.linear(hidden, self.weight) if self.head is None else self.head(hidden))


class Prototypes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 8))

    def forward(self, x):
        return functional.linear(functional.normalize(x), functional.normalize(self.weight))


class Returns(nn.Module):
    """A small network whose forward pass ends in a function of its logits and hidden layer."""

    def __init__(self, end, classes=10) -> None:
        super().__init__()
        self.conv, self.fc, self.end = nn.Conv2d(3, 8, 3, 2), nn.Linear(8, classes), end

    def forward(self, x):
        hidden = self.conv(x).relu().mean((2, 3))
        return self.end(self.fc(hidden), hidden)


def convolutional():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def pooled_by_attention():
    body = nn.Sequential(*(layer for _ in range(8) for layer in (nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))))
    return nn.Sequential(nn.Conv2d(3, 8, 3, 4), body, nn.Flatten(2), Swap(), nn.Linear(8, 8), Mean(), nn.Linear(8, 10))


class Swap(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


class Normalise(nn.Module):
    def forward(self, x):
        return x * 2 - 1


def swin():
    return torchvision.models.SwinTransformer([2, 2], 16, [1, 1], [2, 2], [4, 4], num_classes=10)


def vit(**options):
    return torchvision.models.VisionTransformer(32, 8, 2, 2, 32, 64, num_classes=10, **options)


# Head, layer of the features, their numbers, and those of the pooled ones.
KINDS = {
    "timm ViT": (lambda: timm.create_model("vit_tiny_patch16_224", **TINY), "head", "norm", 17 * 32, 32),
    "timm ViT, average": (
        lambda: timm.create_model("vit_tiny_patch16_224", global_pool="avg", **TINY),
        *("head", "norm", 17 * 32, 32),
    ),
    "timm distilled": (
        lambda: timm.create_model("deit_tiny_distilled_patch16_224", **TINY),
        *("head_dist", "norm", 18 * 32, 32),
    ),
    "timm CaiT": (lambda: timm.create_model("cait_xxs24_224", **TINY), "head", "norm", 17 * 32, 32),
    "timm XCiT": (lambda: timm.create_model("xcit_nano_12_p16_224", **TINY), "head", "norm", 17 * 32, 32),
    "timm Mixer": (
        lambda: MlpMixer(10, 32, patch_size=8, num_blocks=2, embed_dim=32),
        *("head", "norm", 16 * 32, 32),
    ),
    "timm Swin": (
        lambda: timm.create_model(
            "swin_tiny_patch4_window7_224", window_size=4, embed_dim=16, depths=(1, 1), num_heads=(2, 2), **SMALL
        ),
        *("head.fc", "norm", 4 * 4 * 32, 32),
    ),
    "torchvision ViT": (vit, "heads.head", "encoder", 17 * 32, 32),
    "torchvision ViT, hidden": (lambda: vit(representation_size=24), "heads.head", "encoder", 17 * 32, 24),
    "torchvision Swin": (swin, "head", "permute", 32 * 8 * 8, 32),
    "convolutional head": (convolutional, "2", "1", 8 * 15 * 15, 8),
    "a head of its own": (lambda: Cosine(True), "head", "body.1", 8 * 15 * 15, 8),
    "no head": (lambda: Cosine(False), "body", "body.1", 8 * 15 * 15, 8),
    "attention after convolutions": (pooled_by_attention, "6", "1", 8 * 8 * 8, 8),
    "linear behind a normalisation": (
        lambda: nn.Sequential(Normalise(), nn.Flatten(), nn.Linear(3072, 6), nn.ReLU(), nn.Linear(6, 10)),
        *("4", "", 6, 6),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_representation_and_the_heads_input_of(kind):
    make, head, last, numbers, pooled = KINDS[kind]
    torch.manual_seed(0)
    network = randomised(make())
    classifier = Classifier(network, SHAPE)
    assert (classifier.head, classifier.spatial, classifier.classes) == (head, last, 10)
    pixels = torch.rand(3, *SHAPE)
    found = classifier.features(pixels)
    assert found.shape == (3, numbers)
    assert classifier.features(pixels, pooled=True).shape == (3, pooled)
    # Another image, another representation.
    assert torch.pdist(found).min() > 1e-4
    torch.testing.assert_close(classifier.logits(pixels), network(pixels).detach(), rtol=1e-3, atol=1e-5)


def test_pooled_features_are_averaged_before_a_convolutional_head():
    network = convolutional().eval()
    classifier, pixels = Classifier(network, SHAPE), torch.rand(2, *SHAPE)
    torch.testing.assert_close(classifier.features(pixels, pooled=True), network[:2](pixels).mean((2, 3)).detach())


@pytest.mark.parametrize(
    ("end", "undone", "said"),
    [
        (lambda z, h: (z, h), lambda z: z, "part 1 of what it returns"),
        (lambda z, h: (h, z), lambda z: z, "part 2"),
        (lambda z, h: {"features": h, "logits": z}, lambda z: z, "from logits"),
        (lambda z, h: z.softmax(1), lambda z: z.log_softmax(1), "ends in a softmax"),
        (lambda z, h: {"out": z.log_softmax(1)}, lambda z: z.log_softmax(1), "ends in a log-softmax"),
        (lambda z, h: z.sigmoid(), lambda z: z, "ends in a sigmoid"),
        (lambda z, h: z / 0.5, lambda z: 2 * z, ""),
        (lambda z, h: z.double(), lambda z: z, ""),
    ],
    ids=["tuple", "second", "dictionary", "softmax", "log-softmax", "sigmoid", "temperature", "double"],
)
def test_whatever_is_returned_becomes_logits(end, undone, said):
    network = Returns(end).eval()
    classifier = Classifier(network, SHAPE, classes=10)
    pixels = torch.rand(5, *SHAPE)
    hidden = network.conv(pixels).relu().mean((2, 3)).detach()
    torch.testing.assert_close(classifier.logits(pixels), undone(network.fc(hidden)).detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(classifier.features(pixels, pooled=True), hidden)
    assert classifier.head == "fc"
    notes = classifier.anatomy.notes
    assert said in " ".join(notes) if said else not notes


@pytest.mark.parametrize(
    "end",
    [lambda z, h: z, lambda z, h: z[:, 0], lambda z, h: z.squeeze().sigmoid()],
    ids=["plain", "vector", "sigmoid"],
)
def test_one_number_is_read_as_two_classes(end):
    network = Returns(end, classes=1).eval()
    classifier, pixels = Classifier(network, SHAPE, classes=2), torch.rand(4, *SHAPE)
    z = network.fc(network.conv(pixels).relu().mean((2, 3))).detach()
    assert classifier.classes == 2
    found = classifier.logits(pixels)
    assert torch.equal(found[:, 0], torch.zeros(4))
    torch.testing.assert_close(found[:, 1:], z, rtol=1e-4, atol=1e-5)
    assert "one output z" in classifier.anatomy.notes[-1]
    # The last image of a data set may be alone in its batch.
    torch.testing.assert_close(classifier.logits(pixels[:1]), found[:1])


def test_two_heads_of_which_the_average_is_returned_give_the_last_ones_input():
    class Two(Returns):
        def __init__(self) -> None:
            super().__init__(None)
            self.other = nn.Linear(8, 10)

        def forward(self, x):
            hidden = self.conv(x).relu().mean((2, 3))
            return (self.fc(hidden) + self.other(hidden)) / 2

    network = Two()
    assert examine(network, network, SHAPE).head == "other"


def test_a_network_without_layers_has_no_features():
    class Bare(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :10]

    network = Bare()
    with pytest.raises(CheckpointError, match="a layer before its logits"):
        examine(network, network, SHAPE)
