"""What comes from a browser: limits, names, folders, and what is refused."""

import io
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save

from aegis.core.errors import CheckpointError, ConfigError, DataError
from aegis.models.architectures import runs_foreign_code
from aegis.models.card import Card, Identity
from aegis.ui import uploads
from aegis.ui.uploads import Upload, Workspace, check_architecture, check_numbers, identify, read_images, upload
from tests.suspects import tensors


@pytest.fixture(autouse=True)
def _surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def workspace():
    space = Workspace()
    yield space
    space.remove()


def checkpoint(**changes):
    fields = {"architecture": "aegis:cnn16", "class_names": ("Shirt", "Bag"), "shape": (1, 28, 28), **changes}
    return Upload("model.safetensors", save(tensors(), Card(Identity(**fields)).as_metadata()))


def npz(**changes):
    arrays = {"x_train": np.zeros((4, 6, 6), np.uint8), "y_train": np.array([0, 1, 0, 1])}
    arrays |= {"x_test": np.zeros((2, 6, 6), np.uint8), "y_test": np.array([0, 1]), **changes}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return Upload("mine.npz", buffer.getvalue())


def pictures():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("cats", "dogs"):
            for i in range(6):
                picture = io.BytesIO()
                Image.new("L", (8, 8), 40 * i).save(picture, "PNG")
                archive.writestr(f"photos/{name}/{i}.png", picture.getvalue())
    return Upload("photos.zip", buffer.getvalue())


@pytest.mark.parametrize("content", [b"", b"x" * 33])
def test_limits_hold_without_a_browser(monkeypatch, content):
    monkeypatch.setattr(uploads, "MAX_BYTES", 32)
    with pytest.raises(DataError, match="a file of at most"):
        upload("model.pt", content)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model.pt", "model.pt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\a.pt", "a.pt"),
        ("a\x1b[31m.pt", "a\\x1b[31m.pt"),
        ("x" * 500, "x" * 117 + "..."),
    ],
)
def test_a_name_is_text_to_show(name, shown):
    assert upload(name, b"1").name == shown


def test_files_lie_under_names_of_ours_in_a_folder_for_this_user_alone(workspace, tmp_path):
    paths = [workspace.put(Upload("../../evil.safetensors", b"1"), "model"), workspace.put(npz(), "images")]
    assert [path.relative_to(workspace.folder).as_posix() for path in paths] == ["model", "images.npz"]
    assert stat.S_IMODE(workspace.folder.stat().st_mode) == 0o700
    assert workspace.folder.parent == tmp_path
    assert Workspace().folder != workspace.folder
    workspace.remove()
    assert not workspace.folder.exists()


def test_a_card_is_read_and_nothing_stays_behind(tmp_path):
    found = identify(checkpoint(name="Jackets"))
    assert (found.name, found.class_names) == ("Jackets", ("Shirt", "Bag"))
    assert identify(Upload("m", save(tensors()))) is None
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_breaks_off_is_refused_before_it_is_scanned():
    whole = checkpoint().content
    with pytest.raises(CheckpointError, match="truncated"):
        identify(Upload("model.safetensors", whole[: len(whole) // 2]))


@pytest.mark.parametrize(
    "name", ["aegis:cnn16", "aegis:resnet18,width=32", "torchvision:resnet18", "timm:vit_tiny_patch16_224.augreg_in21k"]
)
def test_architectures_by_name(name):
    assert check_architecture(name) == name
    assert not runs_foreign_code(name)


@pytest.mark.parametrize(
    "name",
    [
        "os:system", "mymodels:build", "resnet18", "", "timm:local-dir:/etc", "timm:hf-hub:someone/model",
        "timm:hf_hub:someone/model", "timm:resnet18,pretrained=1", "torchvision:resnet18,progress=1",
        "torchvision:../x", "aegis:cnn16\n", "aegis:cnn16,width=99999",
    ],
)  # fmt: skip
def test_code_files_and_addresses_are_no_architectures(name):
    with pytest.raises(CheckpointError, match="by name"):
        check_architecture(name)


@pytest.mark.parametrize("text", ["a", "0.5;0.4", "nan", "inf", "0.5,"])
def test_numbers_are_numbers(text):
    assert [check_numbers(given, "mean") for given in ("  ", "0.5", " 0.4, 0.5,0.6 ")] == [None, "0.5", "0.4, 0.5,0.6"]
    with pytest.raises(ConfigError, match="numbers for the mean"):
        check_numbers(text, "mean")


@pytest.mark.parametrize(("given", "shape"), [(npz(), (1, 6, 6)), (pictures(), (1, 8, 8))])
def test_images_are_read_and_their_pixels_are_kept_nowhere(workspace, tmp_path, given, shape):
    data = read_images(workspace.put(given, "images"), "upload: mine")
    assert (data.shape, data.name, len(data.class_names)) == (shape, "upload: mine", 2)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", ["mine.tar", "mine", "mine.npz.exe", "..npz/x"])
def test_other_kinds_of_images_are_refused(workspace, name):
    with pytest.raises(DataError, match="NPZ file or a zip"):
        workspace.put(Upload(name, b"1"), "images")


@pytest.mark.parametrize(("limit", "said"), [("MAX_UNPACKED", "once unpacked"), ("MAX_VALUES", "pixel values")])
def test_what_grows_too_large_is_refused(workspace, monkeypatch, limit, said):
    monkeypatch.setattr(uploads, limit, 100)
    with pytest.raises(DataError, match=said):
        read_images(workspace.put(npz(), "images"), "a")
