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
    Normalisation,
    PrecisionOption,
    Quiet,
    Seed,
    labels,
)
from aegis.cli.output import print_scan
from aegis.cli.suspects import images_for, load
from aegis.detect.config import PRESETS, ScanConfig, preset
from aegis.errors import ConfigError
from aegis.files import write_text
from aegis.types import Dataset

if TYPE_CHECKING:
    from aegis.detect.scan import ScanResult
    from aegis.models.load import Suspect
    from aegis.store import Store

EXIT_CODES = {"clean": 0, "infected": 1, "inconclusive": 3}


def scan(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    classes: Annotated[str | None, typer.Option(help="Test these labels only, comma-separated.")] = None,
    preset_name: Annotated[str, typer.Option("--preset", help=f"One of {', '.join(PRESETS)}.")] = "default",
    epsilon: Annotated[float | None, typer.Option(help="L2 budget of translation; replaces the preset's.")] = None,
    step: Annotated[float | None, typer.Option(help="Length of a translation step.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Translation steps.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Images translated per class.")] = None,
    bandwidth: Annotated[float | None, typer.Option(help="Of mean shift; by default computed.")] = None,
    perplexity: Annotated[float | None, typer.Option(help="Of the embedding.")] = None,
    embedding: Annotated[str | None, typer.Option(help="tsne or umap.")] = None,
    mean: Normalisation = None,
    std: Normalisation = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    workers: Annotated[int | None, typer.Option(help="Classes side by side; by default one per core.")] = None,
    seed: Seed = 0,
    json: Annotated[Path | None, typer.Option(help="Write the result as JSON to this file.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute anew, whatever is stored.")] = False,
    quiet: Quiet = False,
) -> None:
    """Scan a model for a backdoor: is it infected, in which class, and what is the trigger?

    With a card in the checkpoint, its path alone is enough:

        aegis scan assets/models/suspect-a.safetensors

    Without one, say what it is and which images belong to it:

        aegis scan model.pt --arch torchvision:resnet18 --data photos/ --json result.json
    """
    from aegis.models.formats import file_digest
    from aegis.store import Store, key_of

    started = time.perf_counter()
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
    chosen = labels(classes)
    _writable(json)
    store = Store()
    sha256 = file_digest(checkpoint)
    given = (arch, mean, std, device, precision)
    key = key_of("scan", checkpoint.name, sha256, images.name, images.digest, config, chosen, given)
    record = None if fresh else store.find_scan(key)
    if record is None:
        suspect = load(checkpoint, images, arch, mean, std)
        machine = (device, precision, workers)
        result = _compute(suspect, images, config, chosen, machine, None if fresh else store, quiet)
        record = result.record(checkpoint.name)
        store.keep_scan(key, record)
    if json is not None:
        write_text(json, record.to_json())
    print_scan(record, quiet, time.perf_counter() - started)
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


def _compute(
    suspect: Suspect,
    images: Dataset,
    config: ScanConfig,
    chosen: tuple[int, ...] | None,
    machine: tuple[str, str, int | None],
    store: Store | None,
    quiet: bool,
) -> ScanResult:
    from aegis.cli.progress import class_bars
    from aegis.detect.scan import STEPS
    from aegis.detect.scan import scan as run
    from aegis.runtime import choose_runtime
    from aegis.store import stored

    runtime = choose_runtime(*machine)
    steps = stored(STEPS, store, suspect.sha256, images, runtime) if store else STEPS
    with class_bars(len(chosen or images.class_names), quiet) as report:
        return run(suspect, images, config, labels=chosen, runtime=runtime, steps=steps, report=report)


def _writable(json: Path | None) -> None:
    """Refuse before minutes of work what could not be written after it."""
    if json is not None and (json.is_dir() or not json.absolute().parent.is_dir()):
        raise ConfigError("a file in a folder that exists for --json", str(json), "Choose another path.")
