import pytest
import timm
import torchvision

from aegis.models.identify.fit import compare, outline
from aegis.models.identify.library import LISTS, PROPOSED, _table, preference, proposals
from aegis.models.identify.library_table import packed
from aegis.models.identify.own import Proposal
from aegis.models.identify.views import View, plain_shapes

SOME = (
    *("torchvision:resnet18", "torchvision:densenet121", "torchvision:regnet_x_400mf"),
    *("timm:resnet10t", "timm:mobilenetv3_small_050"),
)


@pytest.mark.parametrize("name", SOME)
def test_the_table_says_what_the_installed_libraries_build(name):
    shapes = plain_shapes(outline(Proposal(name, 3, 21, 0)))
    found = {proposal.architecture: (proposal, wanted) for proposal, wanted in proposals(shapes)}
    proposal, wanted = found[name]
    assert (proposal.channels, proposal.classes) == (3, 21)
    assert wanted == shapes
    assert len(found) <= PROPOSED


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("timm:vit_tiny_patch16_224,img_size=64,patch_size=8", "timm:vit_tiny_patch16_224"),
        ("torchvision:vit_b_16,image_size=32", "torchvision:vit_b_16"),
    ],
)
def test_options_for_images_of_another_size_are_read_from_the_positions(name, usual):
    shapes = plain_shapes(outline(Proposal(name, 3, 5, 0)))
    found = [proposal for proposal, _ in proposals(shapes)]
    assert found[0].architecture == name
    assert found[0].side == int(name.partition("_size=")[2].partition(",")[0])
    assert compare(found[0], View("", shapes)).fits
    assert usual in name


def test_the_usual_ones_come_first():
    names = ["timm:resnetaa50", "torchvision:resnet50", "timm:resnet50", "aegis:cnn16,width=3", "aegis:cnn16"]
    assert sorted(names, key=preference) == [
        "aegis:cnn16",
        "aegis:cnn16,width=3",
        "torchvision:resnet50",
        "timm:resnet50",
        "timm:resnetaa50",
    ]


def test_networks_with_the_same_names_share_them_in_the_table():
    shapes = {"a.weight": (8, 3, 1, 1), "b.weight": (7, 8), "c": ()}
    wide = shapes | {"a.weight": (9, 3, 1, 1)}
    table = packed([("timm:a", shapes, ["b.weight"], 32, True), ("timm:b", wide, ["b.weight"], 64, False)])
    assert table["names"] == [["a.weight", "b.weight", "c"]]
    assert table["models"][0] == ["timm:a", 0, "8x3x1x1 7x8 -", [1], 0, 32, 1]
    assert table["models"][1] == ["timm:b", 0, "9x3x1x1 7x8 -", [1], 0, 64, 0]


def test_every_classifier_of_the_installed_libraries_is_in_the_table():
    offered = {f"torchvision:{name}" for name in torchvision.models.list_models(module=torchvision.models)}
    offered |= {f"timm:{name}" for name in timm.list_models()}
    assert offered <= {row[0] for row in _table()["models"]}


def test_names_of_nothing_known_propose_nothing():
    assert proposals({"something": (3, 3)}) == []
    assert LISTS > 1
