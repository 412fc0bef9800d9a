"""``aegis scan``: the main job."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import (
    Arch,
    Checkpoint,
    Data,
    Device,
    Mean,
    PrecisionOption,
    Quiet,
    Seed,
    Std,
    finite,
    labels,
    one_of,
    writable,
)
from aegis.cli.output import print_scan
from aegis.cli.progress import class_bars, waiting
from aegis.cli.suspects import images_for, load
from aegis.detect.config import PRESETS, ScanConfig, preset
from aegis.detect.embed import EMBEDDERS
from aegis.files import write_text
from aegis.models.formats import file_digest
from aegis.store import Store, key_of, stored
from aegis.types import Dataset

if TYPE_CHECKING:
    from aegis.detect.scan import ScanResult
    from aegis.models.load import Suspect

EXIT_CODES = {"clean": 0, "infected": 1, "inconclusive": 3}
INSTEAD = "Instead of the preset's settings"
MORE = "More"


def scan(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="7,3", help="Test these classes only; then no model is called clean.", show_default=False),
    ] = None,
    preset_name: Annotated[
        str,
        typer.Option(
            "--preset",
            metavar="|".join(PRESETS),
            callback=one_of(PRESETS, "--preset"),
            help="default looks for a trigger and tries it out; paper counts clusters, as published; quick is "
            "default with fewer images.",
        ),
    ] = "default",
    epsilon: Annotated[
        float | None,
        typer.Option(
            metavar="E",
            callback=finite("--epsilon"),
            help="How far an image may be changed on its way into a class (L2 norm).",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            callback=finite("--step"),
            help="Length of one step of that way.",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="N", help="Its steps.", show_default=False, rich_help_panel=INSTEAD)
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="M", help="Images translated into each class.", show_default=False, rich_help_panel=INSTEAD
        ),
    ] = None,
    bandwidth: Annotated[
        float | None,
        typer.Option(
            metavar="B",
            callback=finite("--bandwidth"),
            help="Radius within which mean shift takes points for one cluster. Without it, computed from the points.",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None,
    perplexity: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            callback=finite("--perplexity"),
            help="About how many neighbours a point keeps in the plane (t-SNE).",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None,
    embedding: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(EMBEDDERS),
            callback=one_of(EMBEDDERS, "--embedding"),
            help="How features become points in the plane.",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.json", callback=writable("--json"), help="Write the result to this file.", show_default=False
        ),
    ] = None,
    mean: Mean = None,
    std: Std = None,
    precision: PrecisionOption = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Classes examined side by side. Without it, one for each processor core.",
            show_default=False,
            rich_help_panel=MORE,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute everything anew, whatever is stored.", rich_help_panel=MORE)
    ] = False,
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
    chosen = labels(classes)
    with waiting("reading images", quiet):
        images = images_for(checkpoint, data)
    config = configure(
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
    store = Store()
    suspect = None if arch is None else _load(checkpoint, images, arch, mean, std, quiet)
    # What the user names as the architecture may be code that has changed, so then the model itself is asked.
    model = (file_digest(checkpoint), mean, std) if suspect is None else suspect.digest
    key = key_of("scan", checkpoint.name, model, images.name, images.digest, config, chosen, device, precision)
    record = None if fresh else store.find_scan(key)
    found = record is not None
    if record is None:
        suspect = suspect or _load(checkpoint, images, arch, mean, std, quiet)
        machine = (device, precision, workers)
        result = _compute(suspect, images, config, chosen, machine, None if fresh else store, quiet)
        record = result.record(checkpoint.name)
        store.keep_scan(key, record)
    if json is not None:
        write_text(json, record.to_json())
    took = time.perf_counter() - started
    print_scan(record, quiet, f"; found again in {took:.1f} s (--fresh computes it anew)" if found else "")
    raise typer.Exit(EXIT_CODES[record.verdict])


def configure(
    config: ScanConfig,
    *,
    seed: int,
    epsilon: float | None,
    step: float | None,
    iterations: int | None,
    seeds: int | None,
    bandwidth: float | None,
    perplexity: float | None,
    method: str | None,
) -> ScanConfig:
    """A preset with what the user set; one of epsilon, step and iterations makes it a single budget."""
    gather, embed, judge = replace(config.gather, seed=seed), replace(config.embed, seed=seed), config.judge
    if not epsilon is step is iterations is None:
        last = gather.stages[-1]
        radius = last.epsilon if epsilon is None else epsilon
        count = last.iterations if iterations is None else iterations
        length = min(last.step, 2.5 * radius / max(count, 1)) if step is None else step
        gather = replace(gather, stages=(replace(last, epsilon=radius, step=length, iterations=count),))
    if seeds is not None:
        gather = replace(gather, seeds=seeds)
    if perplexity is not None:
        embed = replace(embed, perplexity=perplexity)
    if method is not None:
        embed = replace(embed, method=method)
    if bandwidth is not None:
        judge = replace(judge, bandwidth=bandwidth)
    return replace(config, gather=gather, embed=embed, judge=judge)


def _load(
    checkpoint: Path, images: Dataset, arch: str | None, mean: str | None, std: str | None, quiet: bool
) -> Suspect:
    with waiting("reading the model", quiet):
        return load(checkpoint, images, arch, mean, std)


def _compute(
    suspect: Suspect,
    images: Dataset,
    config: ScanConfig,
    chosen: tuple[int, ...] | None,
    machine: tuple[str, str, int | None],
    store: Store | None,
    quiet: bool,
) -> ScanResult:
    from aegis.detect.scan import STEPS
    from aegis.detect.scan import scan as run
    from aegis.runtime import choose_runtime

    runtime = choose_runtime(*machine)
    steps = stored(STEPS, store, suspect.digest, images, runtime) if store else STEPS
    with class_bars(len(chosen or images.class_names), quiet) as report:
        return run(suspect, images, config, labels=chosen, runtime=runtime, steps=steps, report=report)
