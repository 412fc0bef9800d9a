import numpy as np
import torch

from aegis.core.types import LabelledImages
from aegis.models.architectures import build
from aegis.models.identify.alike import by_accuracy, groups
from aegis.models.identify.fit import Candidate
from aegis.models.identify.own import Proposal
from tests.models.conftest import randomised

NAMES = ("aegis:cnn16,width=4", "aegis:cnn32,width=4")
POOLED = ("aegis:small_resnet18,width=4", "aegis:small_resnet18,width=4,pool=1")


def candidates(names):
    return [Candidate(Proposal(name, 3, 3, 16), "", 0) for name in names]


def tensors_of(name):
    torch.manual_seed(0)
    state = randomised(build(name, 3, 3)).state_dict()
    return lambda _: state


def test_networks_that_compute_the_same_are_one_group():
    found = groups(candidates(NAMES), tensors_of(NAMES[0]), None)
    assert [[one.architecture for one in group] for group in found] == [list(NAMES)]


def test_networks_that_compute_something_else_are_apart():
    found = groups(candidates(POOLED), tensors_of(POOLED[0]), (3, 16, 16))
    assert [[one.architecture for one in group] for group in found] == [[POOLED[0]], [POOLED[1]]]


def test_what_cannot_run_on_the_images_is_left_out():
    # The patches of a transformer are larger than these images.
    vit = candidates(("aegis:vit,width=8,depth=1,patch=8",))
    assert groups(vit, tensors_of("aegis:vit,width=8,depth=1,patch=8"), (3, 4, 4)) == []


def test_labels_decide_where_one_is_far_ahead():
    tensors = tensors_of(POOLED[0])
    network = build(POOLED[0], 3, 3).eval()
    network.load_state_dict(tensors(None))
    pixels = torch.rand(120, 3, 16, 16)
    with torch.no_grad():
        logits = network((pixels - 0.5) / 0.2)
        network.fc.bias -= logits.mean(0)
        labels = network((pixels - 0.5) / 0.2).argmax(1).numpy().astype(np.int64)
    state = network.state_dict()
    images = LabelledImages(pixels.numpy(), labels, tuple("abc"))
    apart = [[one] for one in candidates(POOLED)]
    assert by_accuracy(apart, lambda _: state, images, (0.5,), (0.2,)) is apart[0]
    # Two that are right alike leave it open, and so do few images.
    assert by_accuracy([apart[0], apart[0]], lambda _: state, images, (0.5,), (0.2,)) is None
    assert by_accuracy(apart, lambda _: state, images.take(np.arange(30)), (0.5,), (0.2,)) is None
