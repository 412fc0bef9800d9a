import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from aegis.core.errors import DataError
from aegis.data.pictures import read_pictures


def test_without_splits_the_first_of_every_five_names_of_a_class_is_held_out(folder):
    (folder / "README.txt").write_text("Files beside the folders belong to no class.")
    arrays = read_pictures(folder)
    assert arrays.class_names == ("ant", "cat")
    for images, labels, expected in (
        (arrays.x_test, arrays.y_test, [0, 5]),
        (arrays.x_train, arrays.y_train, [1, 2, 3, 4, 6, 7, 8, 9]),
    ):
        np.testing.assert_array_equal(images[:, 0, 0], [10 * i for i in expected * 2])
        np.testing.assert_array_equal(labels, np.repeat([0, 1], len(expected)))


@pytest.fixture
def four(draw):
    """Two pictures of two classes, alike but for their names: just enough for both splits."""

    def draw_four(ending, colour, **options):
        for path in ("a/1", "a/2", "b/1", "b/2"):
            root = draw(f"{path}.{ending}", colour, **options)
        arrays = read_pictures(root)
        assert arrays.y_train.tolist() == arrays.y_test.tolist() == [0, 1]
        return arrays.x_train

    return draw_four


@pytest.mark.parametrize("top", ["", "pictures/of/mine/"])
def test_train_and_test_folders_are_kept_apart_below_any_common_folder(draw, top):
    for split, colour in (("train", (1, 2, 3)), ("test", (4, 5, 6))):
        for name in ("a", "b"):
            root = draw(f"{top}{split}/{name}/1.png", colour)
    arrays = read_pictures(root)
    assert arrays.x_train.shape == (2, 6, 6, 3)
    assert arrays.x_train[0, 0, 0].tolist() == [1, 2, 3]
    assert arrays.x_test[1, 0, 0].tolist() == [4, 5, 6]


@pytest.mark.parametrize("depth", [0, 2000], ids=["flat", "deeper than calls may be"])
def test_a_zip_reads_as_the_folder_in_it_however_deep(folder, tmp_path, depth):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        # In any order, as zip programs write them.
        for path in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(path, f"{'a/' * depth}{path.relative_to(folder)}")
    a, b = read_pictures(folder), read_pictures(tmp_path / "packed.zip")
    assert a.class_names == b.class_names
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize(
    ("mode", "ending", "colour", "expected"),
    [
        ("L", "png", 7, 7),
        ("P", "gif", (7, 7, 7), 7),
        ("P", "png", (1, 2, 3), [1, 2, 3]),
        ("RGB", "bmp", (1, 2, 3), [1, 2, 3]),
        ("RGB", "webp", (0, 0, 0), [0, 0, 0]),
        ("RGB", "ppm", (1, 2, 3), [1, 2, 3]),
    ],
)
def test_any_format_becomes_greyscale_or_colour(four, mode, ending, colour, expected):
    images = four(ending, colour, mode=mode)
    assert images.dtype == np.uint8
    assert images[0, 0, 0].tolist() == expected


def test_one_picture_in_colour_makes_all_colour(folder, draw):
    draw("cat/05.png", (1, 2, 3))
    arrays = read_pictures(folder)
    assert arrays.x_test[3, 0, 0].tolist() == [1, 2, 3]
    assert arrays.x_train[0, 0, 0].tolist() == [10, 10, 10]


def test_pictures_of_several_sizes_need_a_size_and_keep_their_centre_and_proportions(folder, draw):
    draw("cat/05.png", 50, size=(30, 10), mode="L")
    with pytest.raises(
        DataError, match=r"6 x 6 at ant/00\.png but 30 x 10 at cat/05\.png.*scaled and cropped: --size N, in Python"
    ):
        read_pictures(folder)
    wide = Image.new("L", (30, 10), 0)
    wide.paste(200, (10, 0, 20, 10))
    wide.save(folder / "cat" / "05.png")
    arrays = read_pictures(folder, size=10)
    assert arrays.x_train.shape == (16, 10, 10)
    assert (arrays.x_test[3] == 200).all()


@pytest.mark.parametrize(
    ("paths", "got"),
    [
        ([], "no pictures inside folders"),
        (["1.png", "2.png"], "no pictures inside folders"),
        (["a/1.png", "a/2.png"], "2 pictures in 1 class"),
        (["a/1.png", "b/2.png", "c/d/3.png"], "a picture at c/d/3.png"),
        (["train/a/1.png", "test/a/1.png"], "2 pictures in 1 class"),
        (["train/a/1.png", "train/b/1.png", "test/1.png"], "a picture at test/1.png"),
        (["train/a/1.png", "train/b/1.png"], "a picture at train/a/1.png"),
        (["a/1.png", "b/1.png"], "2 pictures in 2 classes"),
    ],
)
def test_other_layouts_are_refused(draw, tmp_path, paths, got):
    root = tmp_path / "pictures"
    root.mkdir()
    for path in paths:
        draw(path)
    with pytest.raises(DataError, match=rf"one folder of pictures per class.*{got}"):
        read_pictures(root)


@pytest.mark.parametrize("limit", [20, 30])
def test_a_decompression_bomb_is_refused_already_where_pillow_only_warns(folder, monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataError, match=rf"at most {limit} pixels.*ant/00\.png"):
        read_pictures(folder)


@pytest.mark.parametrize(("size", "limit"), [(None, "MAX_VALUES"), (4, "MAX_DECODED")])
def test_more_pixels_than_fit_are_refused_before_they_are_decoded(folder, monkeypatch, size, limit):
    monkeypatch.setattr(f"aegis.data.pictures.{limit}", 9 * 6 * 6 * 3)
    last = folder / "ant" / "09.png"
    last.write_bytes(last.read_bytes()[:45])
    with pytest.raises(DataError, match=r"pixel values.*fewer or smaller"):
        read_pictures(folder, size)


def test_damage_beside_the_pixels_is_no_matter_and_warnings_of_it_do_not_reach_the_user(four, monkeypatch):
    real = Image.open

    def warns(file, formats):
        warnings.warn("Truncated File Read", UserWarning, stacklevel=1)
        return real(file, formats=formats)

    monkeypatch.setattr(Image, "open", warns)
    images = four("jpg", (90, 90, 90), exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0damaged")
    assert abs(int(images[0, 0, 0, 0]) - 90) <= 2
