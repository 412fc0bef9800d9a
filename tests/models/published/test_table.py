"""Published networks: names, shapes and numbers of parameters as in the published files."""

import pytest
import torch
from torch import nn

from aegis.core.runtime import Runtime
from aegis.models.architectures import ARCHITECTURES, build
from aegis.models.classifier import Classifier
from aegis.models.published import PUBLISHED
from tests.models.conftest import randomised

# Few channels and blocks.
SMALL = dict.fromkeys(PUBLISHED, "width=8") | dict.fromkeys(("wrn", "dm_wrn"), "depth=10,width=1")


def outline(architecture, classes=10):
    with torch.device("meta"):
        return build(f"aegis:{architecture}", 3, classes)


@pytest.mark.parametrize(
    ("architecture", "count"),
    [
        # Table 6 of He et al. 2016: 0.27, 0.46 and 1.7 million.
        ("cifar_resnet20", 269_722),
        ("cifar_resnet20,blocks=5", 464_154),
        ("cifar_resnet20,blocks=18", 1_727_962),
        ("cifar_resnet18", 11_173_962),
        ("cifar_resnet34", 21_282_122),
        ("cifar_resnet50", 23_520_842),
        ("cifar_resnet101", 42_512_970),
        ("cifar_resnet152", 58_156_618),
        ("small_resnet18", 11_173_962),
        ("preact18", 11_172_170),
        ("preact18,norm=0", 11_171_146),
        # Zagoruyko and Komodakis 2016, table 4: 36.5 million; of TRADES 46.2, and of Gowal et al. 2020 267.
        ("wrn", 36_479_194),
        ("wrn,depth=34", 46_160_474),
        ("dm_wrn", 36_479_194),
        ("dm_wrn,depth=70,width=16", 266_796_506),
        ("cifar_vgg11", 9_231_114),
        ("cifar_vgg16", 14_728_266),
        ("cifar_vgg19", 20_040_522),
        ("cifar_mobilenetv2", 2_296_922),
    ],
)
def test_numbers_of_parameters_are_the_published_ones(architecture, count):
    assert sum(parameter.numel() for parameter in outline(architecture).parameters()) == count


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        (
            "cifar_resnet18",
            {
                "conv1.weight": (64, 3, 3, 3),
                "bn1.running_var": (64,),
                "layer2.0.shortcut.0.weight": (128, 64, 1, 1),
                "layer2.0.shortcut.1.weight": (128,),
                "layer4.1.conv2.weight": (512, 512, 3, 3),
                "linear.bias": (10,),
            },
        ),
        ("cifar_resnet50", {"layer1.0.shortcut.0.weight": (256, 64, 1, 1), "linear.weight": (10, 2048)}),
        ("small_resnet18", {"layer2.0.downsample.1.bias": (128,), "fc.weight": (10, 512)}),
        (
            "preact18",
            {"layer1.0.bn1.weight": (64,), "layer2.0.shortcut.0.weight": (128, 64, 1, 1), "bn.weight": (512,)},
        ),
        ("preact50", {"layer1.0.bn3.weight": (64,), "layer1.0.conv3.weight": (256, 64, 1, 1)}),
        (
            "wrn",
            {
                "conv1.weight": (16, 3, 3, 3),
                "block1.layer.0.convShortcut.weight": (160, 16, 1, 1),
                "block2.layer.0.bn1.weight": (160,),
                "block3.layer.3.conv2.weight": (640, 640, 3, 3),
                "bn1.weight": (640,),
                "fc.weight": (10, 640),
            },
        ),
        ("wrn,twice=1,bias=0", {"sub_block1.layer.0.conv1.weight": (160, 16, 3, 3)}),
        (
            "dm_wrn",
            {
                "init_conv.weight": (16, 3, 3, 3),
                "layer.0.block.0.batchnorm_0.weight": (16,),
                "layer.2.block.0.shortcut.weight": (640, 320, 1, 1),
                "layer.2.block.3.conv_1.weight": (640, 640, 3, 3),
                "batchnorm.bias": (640,),
                "logits.weight": (10, 640),
            },
        ),
        ("cifar_vgg16", {"features.0.bias": (64,), "features.41.weight": (512,), "classifier.weight": (10, 512)}),
        ("cifar_mobilenetv2", {"layers.16.conv2.weight": (960, 1, 3, 3), "layers.0.shortcut.1.weight": (16,)}),
    ],
)
def test_names_and_shapes_are_the_published_ones(architecture, names):
    found = {name: tuple(tensor.shape) for name, tensor in outline(architecture).state_dict().items()}
    assert {name: found.get(name) for name in names} == names


def test_what_an_option_leaves_out():
    assert "bn.weight" not in outline("preact18,norm=0").state_dict()
    assert "fc.bias" not in outline("wrn,bias=0").state_dict()
    assert "layer2.0.shortcut.0.weight" not in outline("cifar_resnet20").state_dict()


# Deeper ones differ in nothing but the number of blocks.
@pytest.mark.parametrize("name", [name for name in PUBLISHED if not name.endswith(("34", "101", "152", "13", "19"))])
def test_each_classifies_images_of_28_and_32_pixels_and_freezes(name):
    network = randomised(build(f"aegis:{name},{SMALL[name]}", 3, 7))
    classifier = Classifier(network, (3, 32, 32))
    pixels = torch.rand(2, 3, 32, 32)
    logits = classifier.logits(pixels)
    assert logits.shape == (2, 7)
    assert (classifier.frozen(Runtime()).logits(pixels) - logits).abs().max() <= 1e-3 * logits.abs().max().clamp(min=1)
    assert Classifier(build(f"aegis:{name},{SMALL[name]}", 1, 5).eval(), (1, 28, 28)).classes == 5


def test_a_shortcut_without_weights_takes_every_second_pixel_and_adds_zeros():
    network = build("aegis:cifar_resnet20,width=2,blocks=1", 1, 2)
    shortcut = network.layer2[0].shortcut
    x = torch.arange(2.0 * 16).view(1, 2, 4, 4)
    expected = torch.zeros(1, 4, 2, 2)
    expected[:, 1:3] = x[:, :, ::2, ::2]
    assert torch.equal(shortcut(x), expected)


@pytest.mark.parametrize("option", ["raw", "swish"])
def test_what_files_do_not_tell_changes_the_answers(option):
    base = "preact18,width=4" if option == "raw" else "dm_wrn,depth=10,width=1"
    one, other = (randomised(build(f"aegis:{base},{option}={value}", 3, 4)) for value in (0, 1))
    other.load_state_dict(one.state_dict())
    pixels = torch.rand(2, 3, 32, 32)
    assert not torch.allclose(one(pixels), other(pixels), rtol=0.01)


def test_strided_convolutions_of_deepmind_pad_below_and_to_the_right():
    network = build("aegis:dm_wrn,depth=10,width=1,swish=0", 1, 2).eval()
    block = network.layer[1].block[0]
    for module in (block.conv_0, block.conv_1, block.shortcut):
        nn.init.zeros_(module.weight)
    # The first pixel of the kernel alone, and nothing after it but a copy.
    block.conv_0.weight.data[:16, :, 0, 0] = torch.eye(16)
    block.conv_1.weight.data[:16, :16, 1, 1] = torch.eye(16)
    x = torch.rand(1, 16, 4, 4)
    torch.testing.assert_close(block(x)[:, :16], x[:, :, ::2, ::2], rtol=1e-3, atol=1e-3)


def test_they_are_among_the_architectures_and_hide_none():
    assert {name: ARCHITECTURES[name] for name in PUBLISHED} == PUBLISHED
    assert "resnet18" not in PUBLISHED
