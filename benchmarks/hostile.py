"""``python -m benchmarks.hostile``: every hostile and broken file through every door, and damage at random.

Each file goes through the Python API and the upload widget's code, whose reader is a process of its own, through the
command line in a process of its own, and through the widget itself in a browser; and once through a reader that nothing
confines. Takes an hour.
"""

import argparse
import os
import statistics
import tempfile
import time
import unittest.mock
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from aegis.models.intake import sandbox as quarantine
from benchmarks import machine
from benchmarks.widget import Widget, widget
from tests.hostile import doors, fuzz
from tests.hostile.corpus import CARDS, CHECKPOINTS, PICTURES, Canary, Case

# The first is the Python API too, without the process whose limits alone would keep a canary silent.
DOORS = ("unconfined", "python", "upload", "command", "widget")


@dataclass(frozen=True)
class Tried:
    """The outcome of one file at one door.

    Args:
        name: of the file.
        seconds: until it was refused.
        executed: whether code of it ran.
        traceback: whether anything but one message was shown.
        missing: words that the message should have had.
    """

    name: str
    seconds: float
    executed: bool
    traceback: bool
    missing: tuple[str, ...]


Door = Callable[[Path], str]


def checkpoints(door: str, folder: Path) -> Door:
    """Make the way of a checkpoint through a door.

    Args:
        door: its name.
        folder: where files lie.

    Returns:
        Takes a file and returns what is said of it.
    """
    images = doors.write_images(folder / "noise.npz")
    if door == "command":
        return lambda path: command("scan", path, "--data", images, "--arch", "aegis:cnn16", folder=folder)
    return doors.uploaded if door == "upload" else doors.python


def cards(door: str, folder: Path) -> Door:
    """Make the way of a checkpoint through a door, without naming an architecture.

    Args:
        door: its name.
        folder: where files lie.

    Returns:
        Takes a file and returns what is said of it.
    """
    images = folder / "noise.npz"
    if door == "command":
        return lambda path: command("scan", path, "--data", images, folder=folder)
    way = doors.uploaded if door == "upload" else doors.python
    return lambda path: way(path, given={})


def pictures(door: str, folder: Path) -> Door:
    """Make the way of images through a door.

    Args:
        door: its name.
        folder: where files lie.

    Returns:
        Takes a file and returns what is said of it.
    """
    model = Path("assets/models/fashion_mnist_clean.safetensors").absolute()
    if door == "command":
        return lambda path: command("scan", model, "--data", path, folder=folder)
    return doors.uploaded_images if door == "upload" else doors.python_images


def command(*arguments: object, folder: Path) -> str:
    """Run the command line in a process of its own.

    Args:
        arguments: of the command.
        folder: where it runs.

    Returns:
        Its message, or all its output if that is not one message.
    """
    code, out, err = doors.process(*arguments, folder=folder)
    whole = code != 2 or out or err.count("\n") != 1 or not err.startswith("aegis: Expected ")
    return f"Traceback?\n{code}\n{out}\n{err}" if whole else err.removeprefix("aegis: ").rstrip("\n")


def shown_by(page: Widget, what: str) -> Door:
    """Make the way of files through a page in the browser.

    Args:
        page: with its widgets.
        what: *checkpoint* or *images*.

    Returns:
        Takes a file and returns what is said of it.
    """
    return page.images if what == "images" else page.checkpoint


def send(cases: Iterable[Case], name: Callable[[Case], str], door: str, way: Door) -> Iterator[Tried]:
    """Send each file, made in a folder of its own, through a door.

    Args:
        cases: the files.
        name: names the file of a case.
        door: its name.
        way: through the door.

    Yields:
        What came of each.
    """
    for case in cases:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            canary, path = Canary(Path(folder, "cage", "canary")), Path(folder, name(case))
            canary.path.parent.mkdir()
            with warnings.catch_warnings(action="ignore"):
                case.make(path, canary)
            if door in ("upload", "widget") and not doors.may_be_uploaded(path):
                continue
            start = time.perf_counter()
            try:
                said = way(path)
            except Exception as error:  # the door's own failure is what is being looked for
                said = f"Traceback? {type(error).__name__}: {error}"
            seconds = time.perf_counter() - start
            # Pages look at headers with the library's words, and at card and file name before all else.
            words = case.words if door not in ("upload", "widget") else ()
            missing = tuple(word for word in words if word not in said)
            yield Tried(case.name, seconds, canary.sang, not said.startswith("Expected "), missing)


def told(what: str, door: str, tried: list[Tried]) -> str:
    """Summarise what came of files.

    Args:
        what: kind of the files.
        door: that they went through.
        tried: what came of each.

    Returns:
        One line, and one more for each file that did harm or was not reported as it should be.
    """
    seconds = [each.seconds for each in tried]
    wrong = [each for each in tried if each.executed or each.traceback or each.missing]
    line = (
        f"  {what:<12} {door:<10} {len(tried):4} files, {sum(each.executed for each in tried)} executed, "
        f"{sum(each.traceback for each in tried)} tracebacks, refused in {statistics.median(seconds):.2f} s "
        f"(median; {min(seconds):.2f} to {max(seconds):.2f})"
    )
    return "\n".join([line, *(f"    WRONG: {each}" for each in wrong)])


def opened(asked: str, folder: Path) -> Iterator[tuple[str, Widget | None]]:
    """Open the doors that were asked for.

    Args:
        asked: comma-separated names.
        folder: where files lie.

    Yields:
        Names, with the page's widgets where the door is one.
    """
    for door in filter(None, asked.split(",")):
        with widget(folder) if door == "widget" else nullcontext() as page:
            yield door, page


def damaged(kind: str, mutations: SearchStrategy[bytes], examples: int) -> str:
    """Fuzz one kind of file at length; an unexpected failure ends the run.

    Args:
        kind: of the file.
        mutations: damaged files.
        examples: number of files.

    Returns:
        One line of what came of it.
    """
    options = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    outcomes, start = fuzz.Outcomes(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):

        def attempt(content: bytes) -> None:
            if kind in fuzz.IMAGE_MUTATIONS:
                fuzz.attempt_images(content, kind, Path(folder), outcomes)
            else:
                fuzz.attempt(content, Path(folder), outcomes)

        options(given(mutations)(attempt))()
    return (
        f"  {kind:<22} {outcomes.tried:6} files, {outcomes.executed} executed, 0 crashes, {outcomes.refused} refused, "
        f"{outcomes.loaded} read, {time.perf_counter() - start:.0f} s"
    )


def main() -> None:
    """Send all files, damage some, and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--doors", default=",".join(DOORS), help="which, with commas between")
    parser.add_argument("--examples", type=int, default=2000, help="damaged files of each kind")
    parser.add_argument("--every", type=int, default=1, help="one of how many files")
    asked, _ = parser.parse_known_args()
    print(f"Hostile files: {machine.describe()}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AEGIS_STORE"] = str(Path(folder, "store"))
        for door, page in opened(asked.doors, Path(folder)):
            for what, corpus, way, name in (
                ("checkpoints", CHECKPOINTS, checkpoints, lambda case: "model.pt"),
                ("cards", CARDS, cards, lambda case: "model.safetensors"),
                ("images", PICTURES, pictures, lambda case: case.file),
            ):
                chosen = list(corpus.cases.values())[:: asked.every]
                cases = [case for case in chosen if not (case.limits and door == "unconfined")]
                reader = doors.unconfined if door == "unconfined" else quarantine._run_worker
                with unittest.mock.patch.object(quarantine, "_run_worker", reader):
                    through = shown_by(page, what) if page else way(door, Path(folder))
                    tried = list(send(cases, name, door, through))
                print(told(what, door, tried), flush=True)
    print("Damage at random")
    for kind, mutations in {**fuzz.MUTATIONS, **fuzz.IMAGE_MUTATIONS}.items() if asked.examples else ():
        print(damaged(kind, mutations, asked.examples), flush=True)


if __name__ == "__main__":
    main()
