"""``aegis scan``: the main job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aegis.cli.failures import tell
from aegis.cli.options import (
    Arch,
    Channels,
    Checkpoint,
    Data,
    Device,
    Entry,
    Json,
    Mean,
    PrecisionOption,
    Quiet,
    Seed,
    Size,
    Std,
    Workers,
    class_labels,
    seconds,
)
from aegis.cli.output import Printer, print_scan
from aegis.cli.progress import class_bars, progress_bar
from aegis.cli.remembered import this_command
from aegis.cli.scan_options import (
    Bandwidth,
    Budget,
    Classes,
    Control,
    Embedding,
    Epsilon,
    Fresh,
    Iterations,
    Perplexity,
    Preset,
    ReferencesMode,
    Seeds,
    Step,
    TriageOption,
)
from aegis.cli.suspects import images_for, reader
from aegis.core.errors import AegisError, CheckpointError, ConfigError
from aegis.core.failures import BAD_INPUT
from aegis.core.files import write_text
from aegis.core.runtime import Report, silent
from aegis.core.types import Applicability, Dataset
from aegis.detect.steps import Assess
from aegis.detect.verdict import objections
from aegis.models.intake.formats import ALL
from aegis.records.config import AssessConfig, ScanConfig, Triage, VerdictConfig
from aegis.records.presets import adjusted, preset
from aegis.records.record import ScanRecord
from aegis.records.wording import in_sentences
from aegis.services.references import with_references
from aegis.services.scan import ScanOutcome, ScanRequest, find_or_run
from aegis.store.keys import key_of
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.models.load import Suspect

EXIT_CODES = {"clean": 0, "infected": 1, "inconclusive": 3}
# Of several networks, the worst outcome is the file's; one that cannot be scanned stops no other.
WORST = (0, 3, BAD_INPUT, 1)


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
    entry: Entry = None,
    size: Size = None,
    channels: Channels = None,
    precision: PrecisionOption = "auto",
    workers: Workers = None,
    control: Control = False,
    references: ReferencesMode = "auto",
    fresh: Fresh = False,
    triage: TriageOption = False,
    budget: Budget = None,
    quiet: Quiet = False,
) -> None:
    """Scan a model for a backdoor: is it infected, in which class, and what is the trigger?

    With a card in the checkpoint, as this program writes it, the path alone is enough:

        aegis scan suspect.safetensors

    Without one, say which images belong to it, and what it is where its tensors do not tell (aegis identify):

        aegis scan model.pt --data photos/
        aegis scan model.pt --arch torchvision:resnet18 --data photos/
        aegis scan model.pt --arch mymodels:build --data mine.npz --json out.json

    Exit codes: 0 clean, 1 infected, 2 bad input or usage, 3 inconclusive. Results are kept in AEGIS_STORE, by
    default ~/.cache/aegis: the same scan again is quick, and an interrupted one goes on where it stopped.
    """
    how = _triage(triage, budget, classes, control)
    images = images_for(checkpoint, data, size, channels, quiet)
    chosen = class_labels(classes, images.class_names)
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
    config = referenced(config, images, references)

    def read(name: str | None) -> Callable[[], Suspect]:
        return reader(checkpoint, images, arch, mean, std, name, quiet)

    request = ScanRequest(
        file=checkpoint.name,
        checkpoint=checkpoint,
        load=read(entry),
        images=images,
        config=config,
        labels=chosen,
        architecture=arch,
        mean=mean,
        std=std,
        entry=entry,
        device=device,
        precision=precision,
        workers=workers,
        triage=how,
    )
    networks, codes = each_network(request, read, json), []
    for one, file in networks:
        try:
            codes.append(EXIT_CODES[scan_one(one, file, control=control, fresh=fresh, quiet=quiet).verdict])
        except AegisError as error:
            if len(networks) == 1:
                raise
            codes.append(tell(error))
    raise typer.Exit(max(codes, key=WORST.index))


def _triage(asked: bool, budget: str | None, classes: str | None, control: bool) -> Triage | None:
    """Reads the options of a triage.

    Raises:
        ConfigError: for options that do not go together.
    """
    for given, name in ((classes is not None, "--classes"), (control, "--control")):
        if asked and given:
            raise ConfigError(
                f"either --triage or {name}", "both", "Leave one out: a triage chooses classes by itself."
            )
    if budget is not None and not asked:
        raise ConfigError("--budget together with --triage", "--budget alone", "Add --triage.")
    return Triage(budget=seconds(budget, "--budget")) if asked else None


def referenced(config: ScanConfig, images: Dataset, mode: str) -> ScanConfig:
    """Adds references to settings, and tells on the stream of messages where that is not possible.

    Args:
        config: settings of a scan.
        images: the data set.
        mode: one of ``MODES``.
    """

    def tell(error: AegisError) -> None:
        Printer(stderr=True).say(f"Without references. {error}")

    return with_references(config, images, mode, tell=tell)


def each_network(
    request: ScanRequest, read: Callable[[str | None], Callable[[], Suspect]], json: Path | None
) -> list[tuple[ScanRequest, Path | None]]:
    """Makes a request for each network of a file of which all are asked for.

    Args:
        request: the scan as it was asked for.
        read: makes the function that reads the network of a name.
        json: where the result is written, or None.

    Returns:
        For each network its request and the file of its result, whose name gets the network's number.
    """
    if request.entry != ALL:
        return [(request, json)]
    first = request.load()
    if not first.others:
        return [(replace(request, entry=None, load=read(None)), json)]
    assert first.entry is not None, "a network with others has a name"
    return [
        (replace(request, entry=name, load=read(name)), json and json.with_stem(f"{json.stem}-{number}"))
        for number, name in enumerate((first.entry, *first.others), 1)
    ]


def scan_one(request: ScanRequest, json: Path | None, *, control: bool, fresh: bool, quiet: bool) -> ScanRecord:
    """Scans one network, or finds its scan in the store; prints and writes the result.

    Args:
        request: the scan.
        json: where the result is written, or None.
        control: whether to run the positive control.
        fresh: whether to compute everything anew.
        quiet: whether to show no progress.

    Returns:
        The result.
    """
    started = time.perf_counter()
    outcome = find_or_scan(request, fresh=fresh, quiet=quiet)
    record = outcome.record
    if control and record.control is None:
        record = with_control(request, record, quiet)
    if json is not None:
        write_text(json, record.to_json())
    took = time.perf_counter() - started
    print_scan(record, quiet, f"; found again in {took:.1f} s (--fresh computes it anew)" if outcome.found else "")
    return record


def find_or_scan(request: ScanRequest, *, fresh: bool, quiet: bool) -> ScanOutcome:
    """Finds a scan in the store, or runs it with progress bars.

    Args:
        request: the scan.
        fresh: whether to compute everything anew.
        quiet: whether to show no progress.

    Returns:
        The scan, and whether it was found.
    """
    return find_or_run(
        request,
        Store(),
        lambda suspect, store: run_with_bars(request, suspect, store, quiet),
        what=os.fspath(request.checkpoint),
        resume_hint=this_command(),
        fresh=fresh,
    )


def run_with_bars(request: ScanRequest, suspect: Suspect, store: Store | None, quiet: bool) -> ScanRecord:
    """Runs a scan with one progress bar for each class.

    Args:
        request: the scan.
        suspect: its model.
        store: where the costly steps are looked up, or None.
        quiet: show no progress.
    """
    classes = len(request.labels or request.images.class_names)
    steps, tries = request.steps(suspect, store), request.config.gather.trigger_search is not None
    if not quiet:
        steps = replace(steps, assess=told_early(steps.assess, request.config.verdict))
    with class_bars(classes, tries, quiet) as report:
        return request.run(suspect, steps, report)


def told_early(assess: Assess, needed: VerdictConfig) -> Assess:
    """Makes the measurement of a model tell at once where no verdict but *inconclusive* can come of it.

    Args:
        assess: measures the model.
        needed: the least accuracy and robustness.

    Returns:
        A function like it.
    """

    def measure(classifier: object, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
        measured = assess(classifier, data, config, report=report)
        # A backdoor may be what makes a model look weak; so attacks that end in one class do not count.
        if against := objections(measured, needed, range(len(data.class_names))):
            Printer(stderr=True).say(f"This can only become inconclusive: {in_sentences(*against)}.")
        return measured

    return measure


def with_control(request: ScanRequest, record: ScanRecord, quiet: bool) -> ScanRecord:
    """Runs the positive control of a scan and keeps it with the record."""
    from aegis.experiments.control import positive_control

    suspect, runtime = request.load(), request.runtime()
    if suspect.sha256 != record.model.sha256:
        raise CheckpointError(
            "the file that was scanned", "another one, which took its place meanwhile", "Give the same command again."
        )
    store, key = Store(), request.key(suspect)
    with (
        # Not the scan's own key: that is done, and must not be forgotten together with this.
        store.working("positive control", os.fspath(request.checkpoint), key_of("control", key), this_command()),
        progress_bar("planting a trigger in a copy", quiet, "scanning the copy") as report,
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
