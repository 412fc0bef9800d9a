"""``aegis scan``: the main job."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import (
    MORE,
    Arch,
    Checkpoint,
    Data,
    Device,
    Json,
    Mean,
    PrecisionOption,
    Quiet,
    Seed,
    Std,
    Workers,
    choice,
    labels,
    number,
    option,
)
from aegis.cli.output import print_scan
from aegis.cli.progress import class_bars, progress_bar, waiting
from aegis.cli.remembered import this_command
from aegis.cli.suspects import images_for, load
from aegis.core.errors import CheckpointError
from aegis.core.files import write_text
from aegis.core.types import Dataset
from aegis.detect.embed import EMBEDDERS
from aegis.records.config import ScanConfig
from aegis.records.presets import PRESETS, adjusted, preset
from aegis.store.cached_steps import stored
from aegis.store.keys import key_of, model_part, scan_key
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.detect.scan import ScanResult
    from aegis.models.load import Suspect
    from aegis.records.record import ScanRecord

EXIT_CODES = {"clean": 0, "infected": 1, "inconclusive": 3}
INSTEAD = "Instead of the preset's settings"


Classes = Annotated[str | None, option("--classes", "7,3", "Test these classes only; then no model is called clean.")]
Preset = Annotated[
    str,
    choice(
        "--preset",
        PRESETS,
        "default looks for a trigger and tries it out; paper counts clusters, as published; quick is default with "
        "fewer images.",
    ),
]
Epsilon = Annotated[
    float | None,
    number("--epsilon", "E", "How far an image may be changed on its way into a class (L2 norm).", INSTEAD),
]
Step = Annotated[float | None, number("--step", "S", "Length of one step of that way.", INSTEAD)]
Iterations = Annotated[int | None, option("--iterations", "N", "Its steps.", INSTEAD)]
Seeds = Annotated[int | None, option("--seeds", "M", "Images translated into each class.", INSTEAD)]
Bandwidth = Annotated[
    float | None,
    number(
        "--bandwidth",
        "B",
        "Radius within which mean shift takes points for one cluster. Without it, computed from the points.",
        INSTEAD,
    ),
]
Perplexity = Annotated[
    float | None,
    number("--perplexity", "P", "About how many neighbours a point keeps in the plane (t-SNE).", INSTEAD),
]
Embedding = Annotated[str | None, choice("--embedding", EMBEDDERS, "How features become points in the plane.", INSTEAD)]
Control = Annotated[
    bool,
    typer.Option(
        "--control",
        help="Also plant a small trigger in a copy of the model and scan the copy: would it have been seen?",
        rich_help_panel=MORE,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Compute everything anew, whatever is stored.", rich_help_panel=MORE)
]


def scan(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    classes: Classes = None,
    preset_name: Preset = "default",
    epsilon: Epsilon = None,
    step: Step = None,
    iterations: Iterations = None,
    seeds: Seeds = None,
    bandwidth: Bandwidth = None,
    perplexity: Perplexity = None,
    embedding: Embedding = None,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = None,
    mean: Mean = None,
    std: Std = None,
    precision: PrecisionOption = "auto",
    workers: Workers = None,
    control: Control = False,
    fresh: Fresh = False,
    quiet: Quiet = False,
) -> None:
    """Scan a model for a backdoor: is it infected, in which class, and what is the trigger?

    With a card in the checkpoint, as this program writes it, the path alone is enough:

        aegis scan suspect.safetensors

    Without one, say what the model is and which images belong to it:

        aegis scan model.pt --arch torchvision:resnet18 --data photos/
        aegis scan model.pt --arch mymodels:build --data mine.npz --json out.json

    Exit codes: 0 clean, 1 infected, 2 bad input or usage, 3 inconclusive. Results are kept in AEGIS_STORE, by
    default ~/.cache/aegis: the same scan again is quick, and an interrupted one goes on where it stopped.
    """
    started = time.perf_counter()
    chosen = labels(classes, "--classes")
    with waiting("reading images", quiet):
        images = images_for(checkpoint, data)
    config = adjusted(
        preset(preset_name, images.name, images.shape),
        seed=seed,
        epsilon=epsilon,
        step=step,
        iterations=iterations,
        seeds=seeds,
        bandwidth=bandwidth,
        perplexity=perplexity,
        method=embedding,
    )
    request = Request(checkpoint, images, config, chosen, arch, mean, std, device, precision, workers, quiet)
    record, found = find_or_compute(request, fresh)
    if control and record.control is None:
        record = with_control(request, record)
    if json is not None:
        write_text(json, record.to_json())
    took = time.perf_counter() - started
    print_scan(record, quiet, f"; found again in {took:.1f} s (--fresh computes it anew)" if found else "")
    raise typer.Exit(EXIT_CODES[record.verdict])


@dataclass(frozen=True, eq=False)
class Request:
    """One scan as it was asked for on the command line.

    Args:
        checkpoint: the file.
        images: the data set.
        config: settings of the scan.
        labels: classes to examine; None for all.
        arch, mean, std: of the model, as they were typed.
        device, precision: as they were typed.
        workers: classes examined side by side; None for one per core.
        quiet: show no progress.
    """

    checkpoint: Path
    images: Dataset
    config: ScanConfig
    labels: tuple[int, ...] | None
    arch: str | None
    mean: str | None
    std: str | None
    device: str
    precision: str
    workers: int | None
    quiet: bool

    def load(self) -> Suspect:
        """Load the model in the sandbox.

        Returns:
            The model.
        """
        with waiting("reading the model", self.quiet):
            return load(self.checkpoint, self.images, self.arch, self.mean, self.std)

    def key(self, suspect: Suspect | None) -> str:
        """Compute the key of the scan in the store.

        Args:
            suspect: the loaded model; None to read the file as it is.

        Returns:
            The key, in hex.
        """
        model = model_part(self.checkpoint, suspect, self.arch, self.mean, self.std)
        return scan_key(self.checkpoint.name, model, self.images, self.config, self.labels, self.device, self.precision)

    def compute(self, suspect: Suspect, store: Store | None) -> ScanResult:
        """Run the scan, reusing and keeping results in the store.

        Args:
            suspect: the loaded model; None loads it.
            store: None to keep nothing.

        Returns:
            The result.
        """
        from aegis.core.runtime import choose_runtime
        from aegis.detect.scan import STEPS
        from aegis.detect.scan import scan as run

        runtime = choose_runtime(self.device, self.precision, self.workers)
        steps = stored(STEPS, store, suspect.digest, self.images.digest, runtime) if store else STEPS
        classes, tries = len(self.labels or self.images.class_names), self.config.gather.trigger_search is not None
        with class_bars(classes, tries, self.quiet) as report:
            return run(
                suspect, self.images, self.config, labels=self.labels, runtime=runtime, steps=steps, report=report
            )


def find_or_compute(request: Request, fresh: bool) -> tuple[ScanRecord, bool]:
    """Find the scan in the store with all that it needs, or run it.

    Args:
        request: the scan.
        fresh: compute anew even if it is found.

    Returns:
        The record, and whether it was found.
    """
    store, path = Store(), request.checkpoint
    suspect = None if request.arch is None else request.load()
    key = request.key(suspect)
    known = store.find_scan(key)
    if known is not None and not fresh and store.is_whole(key):
        return known, True
    with store.working("scan", os.fspath(path), key, this_command()):
        suspect = suspect or request.load()
        result = request.compute(suspect, None if fresh else store)
        record = result.record(path.name)
        if known is not None and not fresh and known.model.sha256 == record.model.sha256:
            # Only what had been damaged was computed anew.
            record = record.model_copy(update={"control": known.control})
        # The file may have been replaced since it was looked up.
        store.keep_scan(request.key(suspect), record)
    return record, False


def with_control(request: Request, record: ScanRecord) -> ScanRecord:
    """Run the positive control of a scan and keep it with the record.

    Args:
        request: the scan.
        record: its record.

    Returns:
        The record with the control.
    """
    from aegis.core.runtime import choose_runtime
    from aegis.experiments.control import positive_control

    suspect, runtime = request.load(), choose_runtime(request.device, request.precision, request.workers)
    if suspect.sha256 != record.model.sha256:
        raise CheckpointError(
            "the file that was scanned", "another one, which took its place meanwhile", "Give the same command again."
        )
    store, key = Store(), request.key(suspect)
    with (
        # Not the scan's own key: that is done, and must not be forgotten together with this.
        store.working("positive control", os.fspath(request.checkpoint), key_of("control", key), this_command()),
        progress_bar("planting a trigger in a copy", request.quiet, "scanning the copy") as report,
    ):
        control = positive_control(
            suspect,
            request.images,
            request.config,
            labels=request.labels,
            avoid=record.flagged_classes,
            runtime=runtime,
            report=report,
        )
        controlled = record.model_copy(update={"control": control})
        store.keep_scan(key, controlled)
    return controlled
