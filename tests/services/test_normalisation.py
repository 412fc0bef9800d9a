"""A network without its normalisation: the one that it needs is offered, and nothing is changed in silence."""

from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.models.load import load_checkpoint
from aegis.services.normalisation import check_normalisation
from tests.layers import ROOT

pytestmark = pytest.mark.usefixtures("inside")


@pytest.fixture
def inside(monkeypatch):
    from tests.models.conftest import unconfined

    monkeypatch.setattr("aegis.models.intake.sandbox._run_worker", unconfined)


@pytest.fixture
def images():
    return load_dataset("samples:mnist")


@pytest.fixture
def suspect(tmp_path, images):
    """The bundled network without its card, so that its normalisation is what the test says."""
    path = tmp_path / "a.safetensors"
    save_file(load_file(ROOT / "assets/models/mnist_clean.safetensors"), path)

    def load(**normalisation):
        given = {"architecture": "aegis:cnn16", "shape": images.shape, "class_names": images.class_names}
        return load_checkpoint(path, **given, **normalisation)

    return load


def refusal(suspect, images, typed):
    with pytest.raises(CheckpointError) as caught:
        check_normalisation(suspect, images, Runtime(), typed=typed)
    return caught.value


def test_the_normalisation_that_works_is_offered_as_options_to_add(suspect, images):
    plain = suspect()
    error = refusal(plain, images, False)
    assert error.advice == "Add --mean 0.1307 --std 0.3081; or --mean 0 --std 1 to go on as it is."
    assert "that of MNIST" in error.got
    assert (plain.identity.mean, plain.identity.std) == ((0.0,), (1.0,))
    assert plain.classifier.mean.item() == 0
    # With these it is not asked again.
    check_normalisation(suspect(mean=(0.1307,), std=(0.3081,)), images, Runtime(), typed=True)


def test_what_the_user_typed_is_doubted_only_where_the_network_guesses(suspect, images):
    check_normalisation(suspect(), images, Runtime(), typed=True)
    error = refusal(suspect(std=(50.0,)), images, True)
    assert error.advice == "Add --mean 0.1307 --std 0.3081."


def test_a_network_for_other_images_is_offered_nothing(suspect):
    check_normalisation(suspect(), load_dataset("samples:fashion_mnist"), Runtime(), typed=False)


def test_a_guess_is_not_offered_to_a_network_that_is_always_wrong(suspect, images):
    wrong = [replace(part, labels=(part.labels + 1) % 10) for part in (images.train, images.test)]
    check_normalisation(suspect(), Dataset("wrong", *wrong), Runtime(), typed=False)
