"""The folder of a release: what config.json says is taken as names and numbers, and nothing else."""

import json
from dataclasses import asdict

import pytest
import timm
import torch
from safetensors.torch import save_file

from aegis.core.errors import CheckpointError
from aegis.models.load import load_checkpoint
from aegis.models.normalisation import DIVIDED
from aegis.models.release import CONFIG_LIMIT, digest_beside, release_beside, weights_of
from aegis.store.keys import model_part

NAMES = ("cat", "dog", "fox")
MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)
IMAGES = {"input_size": [3, 64, 64], "mean": MEAN, "std": STD}
TIMM = {"architecture": "resnet10t.tag_in1k", "num_classes": 3, "label_names": NAMES, "pretrained_cfg": IMAGES}
HUGGING = {"architectures": ["ResNetForImageClassification"], "id2label": {"2": "fox", "0": "cat", "1": "dog"}}


@pytest.fixture
def release(tmp_path):
    """Writes a configuration beside weights that nobody reads."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")

    def write(config, **more):
        for name, said in ({"config": config} | more).items():
            text = said if isinstance(said, str | bytes) else json.dumps(said)
            (tmp_path / f"{name}.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "model.safetensors"

    return write


def said(path):
    return {key: value for key, value in asdict(release_beside(path)).items() if value is not None}


def test_what_timm_writes(release):
    known = {"architecture": "resnet10t", "class_names": NAMES, "shape": (3, 64, 64), "mean": MEAN, "std": STD}
    assert said(release(TIMM)) == known
    # Older ones have everything in one place.
    assert said(release({**TIMM, **IMAGES, "pretrained_cfg": {}})) == known
    assert said(release({**TIMM, "label_names": ["cat"]}))["class_names"] == ("0", "1", "2")
    arguments = {"img_size": [32, 32], "drop_path_rate": 0.1, "patch_size": 4, "act_layer": None}
    assert said(release({**TIMM, "model_args": arguments}))["architecture"] == "resnet10t,img_size=32,patch_size=4"


@pytest.mark.parametrize(
    ("preprocessor", "normalisation"),
    [
        ({"image_mean": MEAN, "image_std": STD}, (MEAN, STD)),
        ({"image_mean": MEAN, "image_std": STD, "do_normalize": False}, (None, None)),
        ({"image_mean": [127.5], "image_std": [255.0], "do_rescale": False}, ((0.5,), (1.0,))),
    ],
)
def test_what_transformers_writes(release, preprocessor, normalisation):
    found = release_beside(release(HUGGING, preprocessor_config=preprocessor))
    assert (found.architecture, found.of_transformers) == (None, "ResNetForImageClassification")
    assert found.class_names == NAMES
    assert (found.mean, found.std) == normalisation


@pytest.mark.parametrize("config", ["{}", '{"lr": 0.1, "architectures": []}'])
def test_other_configurations_say_nothing(release, config):
    assert release_beside(release(config)) is None
    path = release(TIMM)
    assert release_beside(path.rename(path.with_name("other.safetensors"))) is None


HOSTILE = {
    "no JSON": "import os",
    "a list": [1],
    "too large": b" " * (CONFIG_LIMIT + 1),
    "deep": "[" * 100_000,
    "not UTF-8": b'{"architecture": "\xff"}',
    "half a character": '{"architecture": "\\ud800"}',
    "NaN": '{"architecture": "resnet18", "mean": [NaN]}',
    "infinite": '{"architecture": "resnet18", "mean": [1e999]}',
    "no spread": {"architecture": "resnet18", "std": [0.0]},
    "many numbers": {"architecture": "resnet18", "mean": [0.5] * 65},
    "text for a number": {"architecture": "resnet18", "mean": ["0.5"]},
    "no classes": {"architecture": "resnet18", "num_classes": 0},
    "endless classes": {"architecture": "resnet18", "num_classes": 10**30},
    "an escape in a name": {"architecture": "resnet18", "label_names": ["\x1b[2J"]},
    "code": {"architecture": "os:system"},
    "code after a library": {"architecture": "timm:../../evil"},
    "an option in a name": {"architecture": "resnet18,pretrained=1"},
    "other weights": {"architecture": "resnet18", "model_args": {"pretrained": 1}},
    "a path of other weights": {"architecture": "resnet18", "model_args": {"checkpoint_path": 1}},
    "an option that is text": {"architecture": "resnet18", "model_args": {"act_layer": "gelu"}},
    "an option with another": {"architecture": "resnet18", "model_args": {"width=3,depth": 1}},
}


@pytest.mark.parametrize("config", HOSTILE.values(), ids=HOSTILE)
def test_what_is_damaged_or_wants_more_than_names_and_numbers_is_refused(release, config):
    with pytest.raises(CheckpointError) as caught:
        release_beside(release(config))
    assert str(caught.value).isprintable()
    assert "--arch" in caught.value.advice


def test_the_weights_of_a_folder(tmp_path, release):
    assert weights_of(tmp_path / "missing.pt") == tmp_path / "missing.pt"
    path = release(TIMM)
    assert weights_of(tmp_path) == weights_of(path) == path
    path.unlink()
    for names, words in (
        ((), "a folder that holds 1 entry: config.json"),
        ((".metadata",), "a distributed checkpoint"),
        (("model.safetensors.index.json",), "the index of a network in several files: model.safetensors.index.json"),
    ):
        for name in names:
            (tmp_path / name).write_text("{}")
        with pytest.raises(CheckpointError, match=words):
            weights_of(tmp_path)


def test_another_configuration_makes_another_key(release):
    path = release(TIMM)
    keys = {model_part(release(config), None, None, None, None) for config in (TIMM, HUGGING, TIMM)}
    assert len(keys) == 2
    path.with_name("config.json").unlink()
    assert digest_beside(path) is None
    assert len(model_part(path, None, None, None, None)) == 3


@pytest.mark.usefixtures("inside")
def test_a_release_is_loaded_as_its_configuration_says(tmp_path, release):
    torch.manual_seed(0)
    network = timm.create_model("resnet10t", num_classes=3).eval()
    path = release({**TIMM, "pretrained_cfg": {**IMAGES, "mean": [127.5] * 3, "std": [51.0] * 3}})
    save_file(network.state_dict(), path)
    suspect = load_checkpoint(tmp_path)
    identity = suspect.identity
    assert (identity.architecture, identity.class_names, identity.shape) == ("timm:resnet10t", NAMES, (3, 64, 64))
    pixels = torch.rand(2, 3, 64, 64)
    wanted = network((pixels - 0.5) / 0.2).detach()
    torch.testing.assert_close(suspect.classifier.logits(pixels), wanted, rtol=1e-4, atol=1e-5)
    assert suspect.recognised == "config.json beside it says so"
    assert suspect.reading == (
        "architecture, class names, shape, mean, std taken from config.json beside it",
        DIVIDED,
    )
    told = load_checkpoint(
        path, architecture="timm:resnet10t", shape=(3, 32, 32), class_names=NAMES, mean=MEAN, std=STD
    )
    assert (told.identity.mean, told.recognised, told.reading) == (MEAN, None, ())


@pytest.mark.usefixtures("inside")
def test_a_network_of_transformers_is_named_where_its_tensors_tell_nothing(release):
    save_file({"resnet.embedder.weight": torch.ones(2, 2)}, release(HUGGING))
    with pytest.raises(CheckpointError, match=r"one of transformers \(ResNetForImageClassification\)"):
        load_checkpoint(release(HUGGING))
