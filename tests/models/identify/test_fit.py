import pytest

from aegis.models.identify.fit import compare, outline
from aegis.models.identify.own import Proposal
from aegis.models.identify.views import View

LENET = Proposal("aegis:lenet", 1, 10, 28)


def shapes():
    return {name: tuple(tensor.shape) for name, tensor in outline(LENET).items()}


def test_a_network_fits_itself():
    found = compare(LENET, View("module.", shapes()))
    assert found.fits
    assert (found.prefix, found.tensors, str(found)) == ("module.", 10, "all 10 tensors fit")


def test_what_differs_is_told():
    other = shapes() | {"0.weight": (6, 3, 5, 5), "extra.weight": (2, 2), "counter": (1,)}
    del other["0.bias"]
    found = compare(LENET, View("", other))
    assert found.missing == ("0.bias",)
    assert found.unexpected == ("extra.weight",)
    assert found.wrong == (("0.weight", (6, 3, 5, 5), (6, 1, 5, 5)),)
    assert found.differing == 3
    assert str(found) == (
        "1 tensor missing (0.bias); 1 tensor unexpected (extra.weight); "
        "1 tensor of another shape (0.weight is 6x3x5x5 instead of 6x1x5x5)"
    )


@pytest.mark.parametrize("name", ["aegis:nothing", "timm:nothing", "aegis:lenet,width=-1"])
def test_what_cannot_be_built_is_no_candidate(name):
    assert compare(Proposal(name, 1, 10, 28), View("", shapes())) is None


def test_nothing_is_allocated():
    assert {tensor.device.type for tensor in outline(Proposal("aegis:wrn,width=1000", 3, 10, 32)).values()} == {"meta"}
