import pytest

from aegis.core.errors import CheckpointError
from aegis.models.identify import library_name


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("resnet18", "timm:resnet18"),
        ("vit_tiny_patch16_224,img_size=32", "timm:vit_tiny_patch16_224,img_size=32"),
        ("squeezenet1_1", "torchvision:squeezenet1_1"),
        ("cnn32", "aegis:cnn32"),
        ("torchvision:resnet18", "torchvision:resnet18"),
    ],
)
def test_a_plain_name_gets_its_library(name, full):
    assert library_name(name) == full


def test_a_name_that_no_library_has_is_refused():
    with pytest.raises(CheckpointError, match="got 'resnet1000'"):
        library_name("resnet1000,width=3")
