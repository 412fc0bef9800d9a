"""What sessions of one server share."""

import numpy as np
import pytest

from aegis.data import load_dataset
from aegis.data.arrays import Arrays
from aegis.data.npz import write_npz
from aegis.ui.scan_order import named_images
from aegis.ui.scan_session import desk, images_of
from aegis.ui.uploads import UPLOADED
from tests.stored import dataset, record


@pytest.fixture(autouse=True)
def _desk():
    desk.clear()


def of(images, name):
    """A scan of images by a name."""
    kept = record()
    return kept.model_copy(update={"data": kept.data.model_copy(update={"name": name, "digest": images.digest})})


def test_uploaded_images_are_found_for_their_scan_only():
    images = dataset(name=f"{UPLOADED}mine.npz")
    desk().notes.shelve("key", images)
    assert images_of("key", of(images, images.name)) == (images, "")
    assert images_of("another", of(images, images.name)) == (None, "the scan's images (uploaded, and gone)")


def test_the_name_of_an_upload_is_never_opened_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels, labels = np.zeros((8, 6, 6), np.uint8), np.arange(8) % 2
    path = tmp_path / f"{UPLOADED}mine.npz"
    write_npz(path, Arrays(pixels, labels, pixels, labels), compress=False)
    images = load_dataset(path)
    assert images_of("key", of(images, str(path)))[0] is not None
    assert images_of("key", of(images, path.name))[0] is None


def test_bundled_images_are_read_once():
    images = named_images("samples:mnist")
    assert images_of("key", of(images, "samples:mnist"))[0] is images
    found, gone = images_of("key", of(dataset(), "samples:mnist"))
    assert found is None
    assert gone == "the scan's images (others under samples:mnist)"
