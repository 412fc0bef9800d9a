"""Every hostile and broken set of images through every door; and odd pictures that read as what they show."""

import contextlib
import io

import numpy as np
import pytest
from PIL import Image

from aegis.data import load_dataset
from tests.cli.conftest import run
from tests.hostile import doors
from tests.hostile.corpus import PICTURES, Case
from tests.hostile.headers import CARD
from tests.hostile.pictures import chunk, encoded, pack, photos, png

HERE = {name: case for name, case in PICTURES.cases.items() if not case.slow}
# Ten of all kinds through the command line and the page; benchmarks send all through all doors.
SAMPLE = list(HERE.values())[5 :: len(HERE) // 10][:10]


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@of(HERE.values())
def test_python(case: Case, ground):
    path = ground.make(case, case.file)
    ground.check(case, doors.python_images(path))


@of(SAMPLE)
def test_upload(case: Case, ground):
    path = ground.make(case, case.file)
    if not doors.may_be_uploaded(path):
        pytest.skip("no browser could send it")
    said = doors.uploaded_images(path)
    # The page's own limits and kinds come first, in words of their own.
    if path.suffix not in (".npz", ".zip") or not path.stat().st_size or "MiB once unpacked" in said:
        case = Case(case.name, case.make, ())
    ground.check(case, said)


@of(SAMPLE)
def test_command_line(case: Case, ground, model):
    path = ground.make(case, case.file)
    outcome = run("scan", model, "--data", path, "--quiet")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    ground.check(case, outcome.err.removeprefix("aegis: ").rstrip("\n"))


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    from aegis.models.architectures import build
    from aegis.models.card import Card, Identity, save_checkpoint

    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    card = CARD | {"class_names": tuple(CARD["class_names"]), "shape": tuple(CARD["shape"])}
    save_checkpoint(path, build("aegis:cnn16", 1, 4), Card(Identity(**card)))
    return path


@of([case for case in PICTURES.cases.values() if case.unsafe])
def test_the_canary_sings_where_the_file_is_trusted(case: Case, ground):
    path = ground.make(case, case.file)
    assert not ground.canary.sang
    # What is left to load after the code has run may be nothing.
    with contextlib.suppress(Exception):
        case.unsafe(path)
    assert ground.canary.sang


def _animated() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("L", (6, 6), colour) for colour in (10, 200, 90)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _transparent() -> bytes:
    picture = Image.new("P", (6, 6), 1)
    picture.putpalette([0, 0, 0, 30, 60, 90])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=1)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded("TIFF", "CMYK", (255, 0, 255, 0)), [0, 255, 0]),
        (encoded("TIFF", "LAB", (255, 128, 128)), [255, 255, 255]),
        (encoded("PNG", "1", 1), [255]),
        (encoded("PNG", "LA", (9, 0)), [9]),
        (encoded("PNG", "RGBA", (1, 2, 3, 0)), [1, 2, 3]),
        (encoded("PNG", "I;16", 7 * 256 + 255), [7]),
        (encoded("TIFF", "I;16B", 7 * 256 + 255), [7]),
        (_transparent(), [30, 60, 90]),
        (_animated(), [10]),
        (png(6, 6, b"\0" + bytes(50 * 2**20)), [0]),
        (encoded()[:33] + chunk(b"tEXt", b"Comment\0<script>\x1b[2J") + encoded()[33:], [7]),
    ],
    ids=["CMYK", "LAB", "bits", "grey, alpha", "alpha", "16", "16, big", "palette", "animated", "more", "notes"],
)
def test_odd_pictures_read_as_what_they_show(content, expected, ground):
    """The first of an animation's pictures, the upper half of sixteen bits, colours without their transparency."""
    path = ground.folder / "photos.zip"
    pack(path, photos(content))
    data = load_dataset(path)
    # The odd one comes last in its class, and two of five are not held out.
    shown = data.train.pixels[-1] * 255
    wanted = np.broadcast_to(np.array(expected).reshape(-1, 1, 1), shown.shape)
    np.testing.assert_allclose(shown, wanted, atol=1)


def test_there_are_enough_of_them():
    assert len(PICTURES.cases) > 80
