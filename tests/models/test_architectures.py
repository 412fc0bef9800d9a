import sys

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.architectures import ARCHITECTURES, build, runs_foreign_code
from aegis.models.classifier import Classifier
from aegis.models.published import PUBLISHED


def parameter_count(network):
    return sum(parameter.numel() for parameter in network.parameters())


# Those of published files have a test of their own.
@pytest.mark.parametrize("name", sorted(ARCHITECTURES.keys() - PUBLISHED.keys()))
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_every_architecture_classifies(name, shape):
    network = build(f"aegis:{name},width=8", shape[0], 7).eval()
    assert network(torch.rand(2, *shape)).shape == (2, 7)
    classifier = Classifier(network, shape)
    assert classifier.classes == 7
    assert classifier.labels == range(7)


def test_parameter_counts_are_the_published_ones_and_width_scales_the_channels():
    with torch.device("meta"):
        # The ResNets of the paper's kind for 32 pixels and 10 classes have these counts in the literature.
        assert parameter_count(build("aegis:resnet18", 3, 10)) == 11_173_962
        assert parameter_count(build("aegis:resnet50", 3, 10)) == 23_520_842
    assert build("aegis:cnn16,width=5", 1, 10)[0].out_channels == 5
    assert parameter_count(build("aegis:cnn16", 1, 10)) == parameter_count(build("aegis:cnn32,width=16", 1, 10))


@pytest.mark.parametrize(
    ("architecture", "got"),
    [
        ("aegis:nothing", "nothing"),
        ("aegis:cnn16,width=wide", "aegis:cnn16,width=wide"),
        ("aegis:cnn16,width", "aegis:cnn16,width"),
        ("aegis:cnn16,depth=3", "depth"),
        ("aegis:cnn16,width=-4", "negative"),
        ("torchvision:nothing", "nothing"),
        ("timm:nothing", "nothing"),
        ("timm:local-dir:/nowhere", "local-dir"),
        ("timm:hf-hub:timm/resnet18.a1_in1k", "hf-hub"),
        ("timm:resnet10t,pretrained=1", "pretrained weights"),
        ("resnet18", "resnet18"),
        ("no_such_module_anywhere:factory", "no_such_module_anywhere"),
        ("json:nothing", "nothing"),
        ("json:dumps", "TypeError"),
        ("", "''"),
    ],
)
def test_names_that_lead_nowhere_are_one_message(monkeypatch, tmp_path, architecture, got):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(CheckpointError) as caught:
        build(architecture, 3, 10)
    assert got in caught.value.got


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        ("timm:resnet10t", (1, 32, 32)),
        ("torchvision:mobilenet_v3_small", (3, 32, 32)),
        ("torchvision:squeezenet1_1", (3, 64, 64)),
    ],
)
def test_library_architectures_become_classifiers(architecture, shape):
    classifier = Classifier(build(architecture, shape[0], 6).eval(), shape)
    pixels = torch.rand(2, *shape)
    assert classifier.logits(pixels).shape == (2, 6)
    assert classifier.features(pixels, pooled=True).shape[0] == 2


def test_library_architectures_for_colour_only_are_refused():
    with pytest.raises(CheckpointError, match=r"3 channels .* got images with 1"):
        build("torchvision:resnet18", 1, 10)


def test_the_users_own_module_of_which_an_exit_ends_nothing(tmp_path, monkeypatch):
    (tmp_path / "my_nets.py").write_text(
        "from torch import nn\n"
        "def tiny(in_channels, classes, hidden=4):\n"
        "    return nn.Sequential(nn.Conv2d(in_channels, hidden, 3), nn.Flatten(), nn.LazyLinear(classes))\n"
        "def fixed():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n"
        "def exits():\n"
        "    raise SystemExit(1)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    network = build("my_nets:tiny,hidden=6", 1, 10)
    assert network(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    assert network[0].out_channels == 6
    assert Classifier(build("my_nets:fixed", 1, 10), (1, 28, 28)).spatial == ""
    # A code of its own would be taken for a verdict.
    with pytest.raises(CheckpointError, match="SystemExit: 1"):
        build("my_nets:exits", 1, 10)


def test_foreign_code_is_told_apart():
    for name in ("aegis:cnn32", "aegis:resnet18,width=8", "torchvision:resnet18", "timm:resnet10t"):
        assert not runs_foreign_code(name)
    for name in ("my_nets:tiny", "os:system", "aegis.lab.train:main", "resnet18", "", "Aegis:cnn32"):
        assert runs_foreign_code(name)
