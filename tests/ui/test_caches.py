"""Images and uploads of scans: the right ones for the right scan, and nothing in place of what is gone."""

import numpy as np

from aegis.ui.caches import SHELVED, UploadCache, Uploads, is_upload, look_for_images
from aegis.ui.uploads import UPLOADED
from tests.finished import KEY
from tests.stored import dataset


def named(record, name):
    """The same scan of images that lie elsewhere."""
    return record.model_copy(update={"data": record.data.model_copy(update={"name": str(name)})})


def find(record, key=KEY, cache=None):
    return look_for_images(record, key, cache or UploadCache())


def test_the_images_are_those_of_the_scan_and_why_there_are_none_is_said(finished, tmp_path):
    images, reason = find(finished.record)
    assert (images.digest, reason) == (finished.record.data.digest, "")
    (tmp_path / "broken.npz").write_bytes(b"PK")
    for name, why in (
        (f"{UPLOADED}images.npz", "the scan's images (uploaded, and gone)"),
        ("samples:mnist", "the scan's images (others under samples:mnist)"),
        (tmp_path / "gone.npz", "neither a known name nor there"),
        (tmp_path / "broken.npz", "the scan's images"),
    ):
        images, reason = find(named(finished.record, name))
        assert images is None
        assert why in reason


def test_images_that_were_others_for_a_while_are_found_again(finished, tmp_path):
    path = tmp_path / "images.npz"
    record = named(finished.record, path)
    with np.load(finished.images) as file:
        changed = file["x_train"].copy()
        changed[0, 0, 0] ^= 1
        np.savez(path, **{**file, "x_train": changed})
    assert find(record) == (None, f"the scan's images (others under {path})")
    path.write_bytes(finished.images.read_bytes())
    assert find(record)[0].digest == record.data.digest


def test_uploaded_images_belong_to_their_scan_and_their_name_is_no_path(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"{UPLOADED}images.npz"
    (tmp_path / name).write_bytes(finished.images.read_bytes())
    record, cache = named(finished.record, name), UploadCache()
    assert find(record, cache=cache)[0] is None
    cache.keep(KEY, Uploads(images=dataset(1)))
    assert find(record, cache=cache)[0].digest == dataset(1).digest
    assert find(record, "another", cache)[0] is None


def test_few_uploads_are_kept():
    cache = UploadCache()
    for i in range(SHELVED + 2):
        cache.keep(str(i), Uploads(images=dataset(i)))
    assert list(cache.uploads) == [str(i) for i in range(2, SHELVED + 2)]


def test_a_scan_of_what_came_from_a_browser_is_told_from_others(finished):
    record = finished.record
    assert not is_upload(record)
    assert is_upload(named(record, f"{UPLOADED}mine.npz"))
    assert is_upload(record.model_copy(update={"model": record.model.model_copy(update={"file": f"{UPLOADED}a.pt"})}))
