"""What results depend on: the source that counts, and its revision."""

import shutil
import subprocess

import pytest

import aegis.core.source
from aegis.core.source import CODE, STEPS_CODE, UNKNOWN, Revision, code_digest, meaning_of, revision
from tests.layers import ROOT, imported, module_of

# Files that count for costly steps and scans, for scans alone, and for neither.
COUNTS = {
    (True, True): ("core/runtime.py", "core/types/triggers.py", "store/packing.py", "attacks/pgd.py"),
    (False, True): ("detect/cluster.py", "detect/verdict.py", "records/null_distribution.py"),
    (False, False): ("store/store.py", "cli/scan.py", "lab/train.py"),
}


def test_code_that_numbers_depend_on_counts(tmp_path, monkeypatch):
    """How classes are judged matters to a scan, but to none of its costly steps."""
    copied = tmp_path / "aegis"
    shutil.copytree(aegis.core.source.ROOM, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("aegis.core.source.ROOM", copied)
    before = [code_digest.__wrapped__(code) for code in (STEPS_CODE, CODE)]
    for counts, files in COUNTS.items():
        for changed in files:
            source = (copied / changed).read_text()
            (copied / changed).write_text(source + "\nCHANGED = 1\n")
            after = [code_digest.__wrapped__(code) for code in (STEPS_CODE, CODE)]
            assert tuple(a != b for a, b in zip(before, after, strict=True)) == counts, changed
            (copied / changed).write_text(source)


SOURCE = '''
from __future__ import annotations
import math


def area(radius: float, times: float | None = None) -> float:
    """Of a circle."""
    return math.pi * radius**2 * (1 if times is None else times)
'''


def meaning(tmp_path, monkeypatch, **files):
    """What files of a package mean together."""
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    room.mkdir()
    for name, source in files.items():
        (room / f"{name}.py").write_text(source)
    monkeypatch.setattr("aegis.core.source.ROOM", room.parent)
    return meaning_of((room.name,))


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ('"""Of a circle."""', '"""The area of a circle with that radius."""', False),
        ('    """Of a circle."""\n', "", False),
        ("import math", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", False),
        ("    return", "    # Of course.\n    return", False),
        ("radius**2 * (1 if times", "radius ** 2 * (\n        1 if times", False),
        ("**2", "**3", True),
        ("2 *", "2.0 *", True),
        ("= None)", "= 1)", True),
        ("is None", "is not None", True),
        ("radius", "length", True),
        ("1", "True", True),
    ],
)
def test_what_is_done_counts_and_what_is_only_said_does_not(tmp_path, monkeypatch, old, new, counts):
    assert old in SOURCE
    changed = SOURCE.replace(old, new)
    assert (meaning(tmp_path, monkeypatch, a=SOURCE) != meaning(tmp_path, monkeypatch, a=changed)) is counts


def test_where_a_file_lies_counts_for_nothing(tmp_path, monkeypatch):
    other = "a = 1\n"
    there = meaning(tmp_path, monkeypatch, a=SOURCE, b=other)
    assert there == meaning(tmp_path, monkeypatch, z=SOURCE, c=other) != meaning(tmp_path, monkeypatch, a=SOURCE)


def test_every_version_of_python_reads_the_same_meaning(tmp_path, monkeypatch):
    """Literals that 3.11, 3.12 and 3.13 agreed on."""
    made = "4856a30414a7eeff19a66aaffcc425793224e4be8c2013e3949592451f294203"
    assert meaning(tmp_path, monkeypatch, a=SOURCE) == made


# Settings are in the keys with their values; the others compute nothing.
NO_NUMBERS = {"records/config.py", "records/null_distribution.py", "records/references.py"}
NO_NUMBERS |= {"records/reference_files.py"}
NO_NUMBERS |= {f"core/{name}.py" for name in ("errors", "files", "text", "process", "archives")}
NO_NUMBERS |= {"models/card.py", "detect/labels.py", "core/varying.py"}
NO_NUMBERS |= {f"models/intake/{name}.py" for name in ("formats", "archive", "file_kinds", "pickles")}


def test_all_that_the_costly_steps_import_counts():
    seen, todo = set(), {f"aegis.detect.{step}" for step in ("assess", "gather", "embed")}
    while todo:
        path = ROOT.joinpath(*todo.pop().split("."))
        # Other rooms' doors hand out names of all their files, most of which no step asks for.
        path = path / "__init__.py" if path.name == "types" else path.with_suffix(".py")
        if path.exists() and path not in seen:
            seen.add(path)
            known = [
                name for _, name in imported(path.read_text(), module_of(path.parent)) if name.startswith("aegis.")
            ]
            # What is imported may be a module, or a name in one.
            todo |= {*known, *(name.rpartition(".")[0] for name in known)}
    names = {path.relative_to(ROOT / "aegis").as_posix() for path in seen}
    assert {"attacks/stamps.py", "attacks/pgd.py", "core/types/triggers.py"} <= names
    assert {name for name in names - NO_NUMBERS if not {name, name.rpartition("/")[0]} & set(STEPS_CODE)} == set()


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(("git", "-C", folder, *who, *arguments), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit of one file of the package."""
    (tmp_path / "aegis").mkdir()
    (tmp_path / "aegis" / "file.py").write_text("a = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "First")
    return tmp_path


def test_the_revision_is_that_of_the_repository(repository):
    commit = git(repository, "rev-parse", "HEAD")
    assert revision.__wrapped__(repository) == Revision(commit, False)
    (repository / "aegis" / "file.py").write_text("a = 2\n")
    assert revision.__wrapped__(repository) == Revision(commit, True)
    git(repository, "checkout", "-q", "--", ".")
    git(repository, "pack-refs", "--all")
    assert revision.__wrapped__(repository) == Revision(commit, False)
    git(repository, "checkout", "-q", "--detach")
    assert revision.__wrapped__(repository) == Revision(commit, False)

    linked = repository / "linked"
    git(repository, "worktree", "add", "-q", "-b", "other", linked)
    assert revision.__wrapped__(linked) == Revision(git(repository, "rev-parse", "other"), False)


def test_a_folder_in_somebody_elses_repository_and_one_without_git_are_unknown(repository, monkeypatch):
    inner = repository / "inner"
    (inner / ".git").mkdir(parents=True)
    assert revision.__wrapped__(repository / "aegis") == revision.__wrapped__(inner) == Revision()
    monkeypatch.setenv("PATH", "/nowhere")
    assert revision.__wrapped__(repository) == Revision(UNKNOWN, None)


@pytest.mark.parametrize("head", [None, "", "ref: refs/heads/none", "ref: ../../../etc/passwd", "\x00"])
def test_what_is_no_repository_is_unknown(tmp_path, head):
    if head is not None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "HEAD").write_text(head)
    assert revision.__wrapped__(tmp_path) == Revision()
