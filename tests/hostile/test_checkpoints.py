"""Every hostile and broken checkpoint through every door: one message, nothing executed, nothing left behind."""

import contextlib

import pytest
import timm  # noqa: F401 - it makes a temporary folder when it is first imported

from tests.cli.conftest import run
from tests.hostile import doors
from tests.hostile.corpus import CARDS, CHECKPOINTS, Case

HERE = {name: case for name, case in CHECKPOINTS.cases.items() if not (case.limits or case.slow)}
# Ten of all kinds through the command line and the page; benchmarks send all through all doors.
SAMPLE = list(HERE.values())[5 :: len(HERE) // 10][:10]
# One of each kind through a process of its own.
PROCESS = (
    "names that double forty times",
    "torch file with code beside weights, zip",
    "pickle that calls subprocess.Popen",
    "old format storage that claims terabytes",
    "header that claims terabytes",
    "card with an escape in its name",
    "Keras 2 (HDF5)",
    "pipe",
)


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@of(HERE.values())
def test_python(case: Case, ground, inside):
    path = ground.make(case, "model.pt")
    ground.check(case, doors.python(path))


@of(SAMPLE)
def test_command_line(case: Case, ground, inside, images, monkeypatch):
    path = ground.make(case, "model.pt")
    monkeypatch.chdir(path.parent)
    before = set(path.parent.iterdir())
    outcome = run("scan", path.name, "--data", images, "--arch", "aegis:cnn16", "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    ground.check(case, outcome.err.removeprefix("aegis: ").rstrip("\n"))
    assert set(path.parent.iterdir()) == before
    assert not (ground.folder / "store" / "scans").exists()


@of(SAMPLE)
def test_upload(case: Case, ground, inside):
    path = ground.make(case, "model.pt")
    if not doors.may_be_uploaded(path):
        pytest.skip("no browser could send it")
    said = doors.uploaded(path)
    # The page looks at a header with the library's own words.
    words = () if "does not read as such" in said else case.words
    ground.check(Case(case.name, case.make, words), said)


@of(CARDS.cases.values())
@pytest.mark.parametrize("door", [doors.python, doors.uploaded])
def test_cards_that_want_something_done(case: Case, door, ground, inside, monkeypatch):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", lambda *_, **__: pytest.fail("reached for the network"))
    path = ground.make(case, "model.safetensors")
    # On a page, most are refused already for the name they ask for.
    words = case.words if door is doors.python else ()
    ground.check(Case(case.name, case.make, words), door(path, given={}))


@of([CHECKPOINTS.cases[name] for name in PROCESS])
def test_a_process_of_its_own(case: Case, ground):
    path = ground.make(case, "model.pt")
    ground.check(case, doors.python(path))


@of([CHECKPOINTS.cases["pickle that calls builtins.exec"]])
def test_the_command_line_in_a_process_of_its_own(case: Case, ground, images):
    path = ground.make(case, "model.pt")
    code, out, err = doors.process("scan", path, "--data", images, "--arch", "aegis:cnn16", folder=ground.folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    ground.check(case, err.removeprefix("aegis: ").rstrip("\n"))


@of([case for case in CHECKPOINTS.cases.values() if case.unsafe])
def test_the_canary_sings_where_the_file_is_trusted(case: Case, ground):
    """Else its silence would prove nothing."""
    path = ground.make(case, "model.pt")
    assert not ground.canary.sang
    # What is left to load after the code has run may be nothing.
    with contextlib.suppress(Exception):
        case.unsafe(path)
    assert ground.canary.sang


def test_there_are_enough_of_them():
    assert len(CHECKPOINTS.cases) + len(CARDS.cases) > 200
    assert sum(case.unsafe is not None for case in CHECKPOINTS.cases.values()) > 30
