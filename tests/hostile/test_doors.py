"""Every hostile and broken file through Python, and ten of all kinds through the command line and the upload.

Each is refused with one message; nothing is executed, and nothing is left behind.
"""

import contextlib
from dataclasses import replace

import pytest
import timm  # noqa: F401 - it makes a temporary folder when it is first imported

from aegis.models.architectures import build
from aegis.models.card import Card, Identity, save_checkpoint
from aegis.models.intake.sandbox import Limits
from tests.cli.conftest import Outcome, run
from tests.hostile import doors
from tests.hostile.corpus import CARDS, CHECKPOINTS, PICTURES, Case

MODELS = [case for case in CHECKPOINTS.cases.values() if not case.limits]
IMAGES = [case for case in PICTURES.cases.values() if not case.slow]
# One of each kind through a process of its own; code, through that of the command line.
PROCESS = (
    "names that double forty times",
    "beside weights, a text written in hexadecimal sixty times",
    "beside weights, a tuple a million deep as a name",
    "old format storage that claims terabytes",
    "header that claims terabytes",
    "card with an escape in its name",
    "Keras 2 (HDF5)",
    "pipe",
)


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def ten(cases):
    """Ten of all kinds; benchmarks send all through all doors."""
    return of(cases[3 :: len(cases) // 10][:10])


def refused_by(outcome: Outcome) -> str:
    """The one line that the command line says."""
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    return outcome.err.removeprefix("aegis: ").rstrip("\n")


@of(MODELS)
def test_checkpoints_through_python(case: Case, ground, inside):
    ground.check(case, doors.python(ground.make(case)))


@of(IMAGES)
def test_images_through_python(case: Case, ground):
    ground.check(case, doors.python_images(ground.make(case, case.file)))


@ten(MODELS)
def test_checkpoints_through_the_command_line(case: Case, ground, inside, images, monkeypatch):
    path = ground.make(case)
    monkeypatch.chdir(path.parent)
    before = set(path.parent.iterdir())
    ground.check(case, refused_by(run("scan", path.name, "--data", images, "--arch", "aegis:cnn16", "--quiet")))
    assert set(path.parent.iterdir()) == before
    assert not (ground.folder / "store" / "scans").exists()


@ten(IMAGES)
def test_images_through_the_command_line(case: Case, ground, tmp_path):
    network, names = build("aegis:cnn16", 1, 4), tuple("abcd")
    identity = Identity(architecture="aegis:cnn16", class_names=names, shape=(1, 12, 12))
    save_checkpoint(tmp_path / "model.safetensors", network, Card(identity))
    path = ground.make(case, case.file)
    ground.check(case, refused_by(run("scan", tmp_path / "model.safetensors", "--data", path, "--quiet")))


@ten([case for case in MODELS if not case.name.startswith(("pipe", "link", "folder", "missing", "file of"))])
def test_checkpoints_as_uploads(case: Case, ground, inside):
    said = doors.uploaded(ground.make(case))
    # The page looks at a header with the library's own words.
    ground.check(replace(case, words=()) if "does not read as such" in said else case, said)


@ten([case for case in IMAGES if not case.name.startswith("folder")])
def test_images_as_uploads(case: Case, ground):
    path = ground.make(case, case.file)
    said = doors.uploaded_images(path)
    # The page's own limits and kinds come first, in words of their own.
    own = path.suffix not in (".npz", ".zip") or not path.stat().st_size or "MiB once unpacked" in said
    ground.check(replace(case, words=()) if own else case, said)


@of(CARDS.cases.values())
@pytest.mark.parametrize("door", [doors.python, doors.uploaded])
def test_cards_that_want_something_done(case: Case, door, ground, inside, monkeypatch):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", lambda *_, **__: pytest.fail("reached for the network"))
    path = ground.make(case, "model.safetensors")
    # On a page, most are refused already for the name they ask for.
    ground.check(case if door is doors.python else replace(case, words=()), door(path, given={}))


@of([CHECKPOINTS.cases[name] for name in PROCESS])
def test_a_process_of_its_own(case: Case, ground):
    # Where only the limit of time can end what the file does, it is as tight as torch's import allows.
    limits = Limits(processor=3) if "of computing" in case.words else doors.quick()
    ground.check(case, doors.python(ground.make(case), limits=limits))


@of([CHECKPOINTS.cases["pickle that calls builtins.exec"]])
def test_the_command_line_in_a_process_of_its_own(case: Case, ground, images):
    arguments = ("scan", ground.make(case), "--data", images, "--arch", "aegis:cnn16")
    ground.check(case, refused_by(Outcome(*doors.process(*arguments, folder=ground.folder))))


@of([case for case in (*MODELS, *IMAGES) if case.unsafe])
def test_the_canary_sings_where_the_file_is_trusted(case: Case, ground):
    """Else its silence would prove nothing."""
    path = ground.make(case, case.file)
    assert not ground.canary.sang
    # What is left to load after the code has run may be nothing.
    with contextlib.suppress(Exception):
        case.unsafe(path)
    assert ground.canary.sang


def test_there_are_enough_of_them():
    assert len(CHECKPOINTS.cases) + len(CARDS.cases) > 200
    assert sum(name.startswith("beside weights") for name in CHECKPOINTS.cases) > 80
    assert len(PICTURES.cases) > 80
    assert sum(case.unsafe is not None for case in CHECKPOINTS.cases.values()) > 30
