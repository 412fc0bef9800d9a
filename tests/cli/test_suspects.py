import numpy as np
import pytest
from safetensors.numpy import save_file

from aegis.cli.suspects import check_side, images_for, load
from aegis.core.errors import CheckpointError, DataError
from aegis.core.types import Dataset, LabelledImages


def dataset(channels, side):
    pixels = np.zeros((2, channels, side, side), np.float32)
    images = LabelledImages(pixels, np.arange(2), ("a", "b"))
    return Dataset("mine", images, images)


@pytest.fixture
def archive(tmp_path):
    """An NPZ file without images for testing."""
    np.savez(tmp_path / "mine.npz", x_train=np.zeros((10, 6, 6), np.uint8), y_train=np.arange(10) % 2)
    return tmp_path / "mine.npz"


@pytest.fixture
def model(tmp_path):
    """A checkpoint that nobody loads."""
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_how_images_were_read_is_told_on_the_stream_of_messages_unless_quiet(model, archive, capsys):
    images = images_for(model, str(archive), 12, 3, quiet=False)
    assert (images.shape, len(images.train), len(images.test)) == ((3, 12, 12), 8, 2)
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "Every fifth image of a class was held out for testing, since there is no split for it.\n",
    )
    images_for(model, str(archive), None, None, quiet=True)
    assert capsys.readouterr().err == ""


def test_images_that_are_too_large_are_refused_with_the_option_that_scales_them():
    check_side(dataset(3, 224))
    with pytest.raises(DataError, match=r"at most 224 x 224 pixels; got 299 x 299.*--size 224"):
        check_side(dataset(3, 299))


def test_channels_that_do_not_fit_are_refused_with_the_option_that_converts_them(model, monkeypatch):
    got = "RuntimeError: expected input[2, 1, 28, 28] to have 3 channels, but got 1 channels instead"

    def load_checkpoint(*_, **__):
        raise CheckpointError("a network that runs", got, "Check the architecture.")

    monkeypatch.setattr("aegis.models.load.load_checkpoint", load_checkpoint)
    with pytest.raises(CheckpointError, match="Give --channels 3, which converts the images"):
        load(model, dataset(1, 28))
    got = "RuntimeError: addmm: mat1 and mat2 shapes cannot be multiplied (2x784 and 1024x10)"
    with pytest.raises(CheckpointError, match=r"Check the architecture. .*--size N"):
        load(model, dataset(1, 28))
    got = "another reason"
    with pytest.raises(CheckpointError, match=r"another reason\. Check the architecture\.$"):
        load(model, dataset(1, 28))
