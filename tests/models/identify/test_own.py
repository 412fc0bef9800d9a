import pytest
import torch

from aegis.models.architectures import ARCHITECTURES, build
from aegis.models.identify.own import SOLVERS, Proposal, proposals
from aegis.models.identify.views import View, plain_shapes, views


def proposed(architecture, channels=3, classes=6):
    with torch.device("meta"):
        shapes = build(f"aegis:{architecture}", channels, classes).state_dict()
    return proposals(views(shapes)[0].shapes)


def test_every_architecture_has_a_solver():
    assert SOLVERS.keys() == ARCHITECTURES.keys()


@pytest.mark.parametrize(
    ("architecture", "channels", "classes", "side"),
    [
        ("cnn16", 1, 10, 28),
        ("cnn32,width=7", 3, 4, 32),
        ("cnn32", 3, 4, 32),
        ("resnet18,width=12", 3, 10, 32),
        ("resnet50,width=4", 1, 5, 28),
        ("plain,width=5,grid=8,hidden=9", 3, 7, 32),
        ("strided,width=6,hidden=11,deep=1", 1, 10, 28),
        ("lenet,width=12", 1, 10, 28),
        ("vgg,width=3,grid=4,hidden=5,norm=1", 3, 9, 32),
        ("preact,width=8,blocks=3", 3, 10, 32),
        ("wide,width=4,depth=16,factor=3", 3, 10, 32),
        ("vit,width=32,patch=8,depth=2", 3, 10, 32),
        ("mlp,width=30,depth=3,side=32", 3, 10, 32),
        ("cifar_resnet18,width=6", 3, 100, 32),
        ("cifar_resnet101,width=2", 3, 10, 32),
        ("cifar_resnet20,width=5,blocks=9", 3, 10, 32),
        ("small_resnet34,width=3", 1, 10, 28),
        ("small_resnet50,width=3,pool=1", 3, 10, 32),
        ("preact18,width=5,norm=0", 3, 43, 32),
        ("preact34,width=4,raw=1", 3, 10, 32),
        ("preact50,width=2", 3, 10, 32),
        ("wrn,depth=16,width=3,twice=1,bias=0", 3, 10, 32),
        ("dm_wrn,depth=10,width=2,swish=0", 3, 10, 32),
        ("cifar_vgg13,width=4", 3, 10, 32),
        ("cifar_mobilenetv2,width=16", 3, 10, 32),
    ],
)
def test_options_are_read_from_the_shapes(architecture, channels, classes, side):
    assert Proposal(f"aegis:{architecture}", channels, classes, side) in proposed(architecture, channels, classes)


def test_options_as_usual_are_not_written():
    assert [one.architecture for one in proposed("cifar_resnet18")] == ["aegis:cifar_resnet18"]
    assert [one.architecture for one in proposed("wrn")] == ["aegis:wrn"]
    assert "aegis:vit" in [one.architecture for one in proposed("vit")]


@pytest.mark.parametrize("shapes", [{}, {"conv1.weight": ()}, {"0.weight": (3,)}, {"layers.0.weight": (0, 0, 0, 0)}])
def test_shapes_of_something_else_propose_nothing(shapes):
    assert proposals(View("", shapes).shapes) == []
    assert plain_shapes({}) == {}
