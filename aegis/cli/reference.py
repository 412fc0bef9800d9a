"""``aegis reference``: make benign reference models of a data set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from aegis.cli.options import MORE, Channels, Device, PrecisionOption, Quiet, Size, option
from aegis.cli.output import Printer
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.cli.progress import progress_bar, waiting
from aegis.cli.remembered import remembered
from aegis.cli.suspects import check_side, tell
from aegis.core.text import count_of
from aegis.data import SOURCES
from aegis.data.reader import Reader

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help=f"The images that suspects are scanned with: {', '.join(SOURCES)}; an NPZ file; or a folder or archive "
        "with one sub-folder per class.",
        show_default=False,
    ),
]
Models = Annotated[int, typer.Option("--models", metavar="N", min=2, help="Reference models to train.")]
Jobs = Annotated[int | None, option("--jobs", "N", "Processes side by side; without it, one a core.", MORE, min=1)]


def reference(
    data: Data,
    models: Models = 4,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    jobs: Jobs = None,
    size: Size = None,
    channels: Channels = None,
    address: Address = None,
    insecure: Insecure = False,
    quiet: Quiet = False,
) -> None:
    """Train benign models on your own images, so that verdicts know what is natural for them.

    Some classes are near each other in every model of a data set: a few pixels turn a 4 into a 9. Scans with these
    images compare each trigger with what the same search reaches in the benign models, and no longer take such a
    weak spot for a backdoor. Made once for a data set:

        aegis reference photos/
        aegis reference mine.npz --models 6

    What is finished is kept; interrupted, the same command goes on. The images need 50 training and 10 test images
    of every class, all clean. MNIST, Fashion-MNIST and CIFAR-10 have references already.
    """
    from aegis.services.references import ReferencePlan, make_references, usual_jobs

    started = time.perf_counter()
    told: list[str] = []
    read = Reader(size, channels, told.append)
    plan = ReferencePlan(source=data, read=read, models=models, device=device, precision=precision)
    with waiting("reading images", quiet):
        images = plan.images
    check_side(images)
    tell(told, quiet)
    with remembered("references", Path(data)), progress_bar("training and searching", quiet) as report:
        place = place_of_tasks(address, insecure, device=device, jobs=jobs)
        count = jobs or (usual_jobs(device) if place is None else 1)
        made = make_references(plan, count, report, executor=place)
    accuracies = ", ".join(f"{model.accuracy:.0%}" for model in made.models)
    Printer().say(
        f"{count_of(len(made.models), 'reference model')} of {images.name}, accuracy {accuracies}, in "
        f"{time.perf_counter() - started:.0f} s. Every later scan with these images uses them."
    )
