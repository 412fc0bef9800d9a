"""Images and uploads of scans: the right ones for the right scan, and nothing in place of what is gone."""

import numpy as np

from aegis.ui.caches import SHELVED, UploadCache, Uploads, is_upload, look_for_images
from aegis.ui.uploads import UPLOADED
from tests.finished import KEY
from tests.stored import dataset


def named(record, name):
    """The same scan of images that lie elsewhere."""
    return record.model_copy(update={"data": record.data.model_copy(update={"name": str(name)})})


def find(record):
    return look_for_images(record, KEY, UploadCache())[0]


def test_the_images_are_those_of_the_scan(finished):
    assert find(finished.record).digest == finished.record.data.digest


def test_images_that_are_gone_or_others_are_not_shown(finished, tmp_path):
    assert find(named(finished.record, tmp_path / "gone.npz")) is None
    (tmp_path / "broken.npz").write_bytes(b"PK")
    assert find(named(finished.record, tmp_path / "broken.npz")) is None
    with np.load(finished.images) as file:
        arrays = dict(file)
    arrays["x_train"] = arrays["x_train"].copy()
    arrays["x_train"][0, 0, 0] ^= 1
    np.savez(tmp_path / "changed.npz", **arrays)
    assert find(named(finished.record, tmp_path / "changed.npz")) is None


def test_images_that_were_others_for_a_while_are_found_again(finished, tmp_path):
    path = tmp_path / "images.npz"
    record = named(finished.record, path)
    with np.load(finished.images) as file:
        np.savez(path, **{**file, "x_train": 255 - file["x_train"]})
    assert look_for_images(record, KEY, UploadCache()) == (None, f"the scan's images (others under {path})")
    path.write_bytes(finished.images.read_bytes())
    assert find(record).digest == record.data.digest


def test_uploaded_images_belong_to_their_scan_and_their_name_is_no_path(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"{UPLOADED}images.npz"
    (tmp_path / name).write_bytes(finished.images.read_bytes())
    record, shelf = named(finished.record, name), UploadCache()
    assert look_for_images(record, KEY, shelf)[0] is None
    shelf.keep(KEY, Uploads(images=dataset(1)))
    assert look_for_images(record, KEY, shelf)[0].digest == dataset(1).digest
    assert look_for_images(record, "another", shelf)[0] is None


def test_why_there_are_none_is_said(finished, tmp_path):
    def reason(name):
        return look_for_images(named(finished.record, name), KEY, UploadCache())[1]

    assert reason(finished.images) == ""
    assert reason(f"{UPLOADED}images.npz") == "the scan's images (uploaded, and gone)"
    assert reason("samples:mnist") == "the scan's images (others under samples:mnist)"
    assert "neither a known name nor there" in reason(tmp_path / "gone.npz")


def test_few_uploads_are_kept():
    shelf = UploadCache()
    for i in range(SHELVED + 2):
        shelf.keep(str(i), Uploads(images=dataset(i)))
    assert list(shelf.uploads) == [str(i) for i in range(2, SHELVED + 2)]


def test_a_scan_of_what_came_from_a_browser_is_told_from_others(finished):
    record = finished.record
    assert not is_upload(record)
    assert is_upload(named(record, f"{UPLOADED}mine.npz"))
    assert is_upload(record.model_copy(update={"model": record.model.model_copy(update={"file": f"{UPLOADED}a.pt"})}))
