"""The count: networks of random weights, under prefixes, of other widths and classes."""

import numpy as np
import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.core.types import LabelledImages
from aegis.models.architectures import build
from aegis.models.identify import recognise
from tests.models.conftest import randomised

from .conftest import holding, state

# Architecture, channels, classes, prefix, and whether it can be told from all others by names and shapes.
COUNTED = (
    ("aegis:cnn16", 1, 10, "", True),
    ("aegis:cnn32,width=7", 3, 4, "module.", True),
    ("aegis:resnet18,width=8", 3, 10, "_orig_mod.", True),
    ("aegis:plain,width=4", 1, 10, "net.", True),
    ("aegis:strided,width=4,grid=8", 3, 10, "", True),
    ("aegis:lenet", 1, 10, "model.", True),
    ("aegis:vgg,width=4,norm=1", 1, 6, "1.", True),
    ("aegis:preact,width=4", 3, 10, "", True),
    ("aegis:wide,width=4", 3, 10, "module.model.", True),
    ("aegis:mlp,width=20", 1, 10, "", True),
    ("aegis:vit,width=16,depth=1", 3, 10, "", False),
    ("aegis:cifar_resnet18,width=4", 3, 10, "module.", True),
    ("aegis:cifar_resnet50,width=2", 3, 10, "model.", True),
    ("aegis:cifar_resnet20,width=4", 3, 10, "", True),
    ("aegis:small_resnet18,width=4", 3, 10, "", False),
    ("aegis:preact18,width=4", 3, 10, "module.", False),
    ("aegis:preact50,width=2", 3, 10, "", True),
    ("aegis:wrn,depth=10,width=1", 3, 100, "module.", True),
    ("aegis:wrn,depth=10,width=1,twice=1", 3, 10, "", True),
    ("aegis:dm_wrn,depth=10,width=1", 3, 10, "module.0.", False),
    ("aegis:cifar_vgg11,width=4", 3, 10, "", True),
    ("aegis:cifar_mobilenetv2,width=8", 3, 10, "", True),
    ("torchvision:mobilenet_v3_small", 3, 5, "model.", True),
    ("torchvision:squeezenet1_1", 3, 10, "", True),
    ("torchvision:shufflenet_v2_x0_5", 3, 43, "module.", True),
    ("timm:resnet10t", 1, 7, "", True),
    ("timm:mobilenetv3_small_050", 3, 10, "net.", True),
    ("timm:vit_tiny_patch16_224,img_size=32,patch_size=4", 3, 10, "", True),
)


@pytest.mark.parametrize(("architecture", "channels", "classes", "prefix", "sure"), COUNTED)
def test_random_networks_are_recognised(architecture, channels, classes, prefix, sure):
    answer = recognise(holding(state(architecture, channels, classes, prefix)), None)
    best = answer.best
    assert (best.architecture, best.proposal.channels, best.proposal.classes) == (architecture, channels, classes)
    assert best.prefix == prefix
    assert answer.sure == sure, answer.why
    assert best.fits


def test_normalisation_and_weights_of_a_loss_beside_the_network_do_not_matter():
    tensors = state("aegis:cifar_resnet18,width=4", prefix="model.")
    beside = {"normalize.mean": torch.zeros(3), "normalize.std": torch.ones(3), "loss_weight": torch.ones(10)}
    answer = recognise(holding(tensors | beside), None)
    assert (answer.best.architecture, answer.sure) == ("aegis:cifar_resnet18,width=4", True)


def test_what_does_not_fit_is_told_with_what_differs():
    tensors = state("torchvision:resnet18")
    del tensors["fc.weight"], tensors["fc.bias"]
    answer = recognise(holding(tensors | {"fc.1.weight": torch.zeros(10, 512), "fc.1.bias": torch.zeros(10)}), None)
    assert not answer.sure
    assert answer.best.architecture == "torchvision:resnet18"
    assert answer.best.proposal.classes == 10
    assert str(answer.best) == "2 tensors missing (fc.weight, fc.bias); 2 tensors unexpected (fc.1.bias, fc.1.weight)"
    assert len(answer.candidates) == 3
    assert answer.commands("a b.pt", "ema")[0] == (
        "aegis scan 'a b.pt' --arch torchvision:resnet18 --data DATA --entry ema"
    )


def test_the_last_layer_alone_is_not_taken_for_a_small_network():
    tensors = state("aegis:cnn16", 1, 4) | {"extra.scale": torch.zeros(4, 4)}
    answer = recognise(holding(tensors), None)
    assert (answer.best.architecture, str(answer.best)) == ("aegis:cnn16", "1 tensor unexpected (extra.scale)")


def test_two_networks_in_one_dictionary_are_refused_until_one_is_named():
    own, ema = (state("aegis:cnn16,width=4", prefix=prefix) for prefix in ("model.", "ema."))
    with pytest.raises(CheckpointError, match="2 networks: "):
        recognise(holding(own | ema), None)
    answer = recognise(holding(own | ema), "ema")
    assert (answer.sure, answer.entry) == (True, "ema")


def test_names_of_nothing_known_are_refused():
    with pytest.raises(CheckpointError, match="module:factory"):
        recognise(holding({"something": torch.rand(3, 3)}), None)


@pytest.mark.parametrize("raw", [0, 1])
def test_labelled_images_tell_apart_what_shapes_do_not(raw):
    torch.manual_seed(0)
    architecture = "aegis:preact18,width=4" + (",raw=1" if raw else "")
    network = randomised(build(architecture, 3, 4))
    pixels = torch.rand(400, 3, 16, 16)
    with torch.no_grad():
        # A head that spreads the classes evenly over these images.
        logits = network(pixels)
        network.linear.weight.div_(logits.std(0)[:, None])
        network.linear.bias.copy_((network.linear.bias - logits.mean(0)) / logits.std(0))
        labels = network(pixels).argmax(1).numpy().astype(np.int64)
    images = LabelledImages(pixels.numpy(), labels, tuple("abcd"))
    contents = holding(network.state_dict())
    blind = recognise(contents, None)
    assert not blind.sure
    assert [one.architecture for one in blind.candidates] == [
        "aegis:preact18,width=4",
        "aegis:preact18,width=4,raw=1",
    ]
    answer = recognise(contents, None, images=images)
    assert answer.sure
    assert answer.best.architecture == architecture
    assert "right about the images" in answer.why
    # Too few say nothing.
    few = images.take(np.arange(20))
    assert not recognise(contents, None, images=few).sure


def test_random_numbers_are_left_alone():
    contents = holding(state("aegis:preact18,width=2"))
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    recognise(contents, None)
    assert torch.equal(torch.rand(3), expected)
