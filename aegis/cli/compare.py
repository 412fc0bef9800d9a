"""``aegis compare``: other detectors beside AEGIS on the same suspect."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from aegis.baselines.catalogue import BASELINES
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
    names,
)
from aegis.cli.output import COLOURS, Printer, clean, make_table
from aegis.cli.progress import progress_bar
from aegis.cli.remembered import this_command
from aegis.cli.scan import EXIT_CODES, find_or_scan, referenced
from aegis.cli.scan_options import Fresh, Preset, ReferencesMode
from aegis.cli.suspects import images_for, reader
from aegis.core.errors import ConfigError
from aegis.core.files import write_text
from aegis.core.text import numbered
from aegis.models.intake.formats import ALL
from aegis.records.detectors import AEGIS, ComparisonRecord, DetectorRecord
from aegis.records.presets import adjusted, preset
from aegis.services.comparison import DETECTORS, compare_detectors
from aegis.services.scan import ScanRequest
from aegis.store.store import Store

ALL_DETECTORS = ",".join(DETECTORS)
With = Annotated[
    str,
    typer.Option(
        "--with",
        metavar="NAMES",
        help="Which detectors, with commas between them: "
        f"{', '.join(f'{name} ({one.title}; {one.paper})' for name, one in BASELINES.items())}; {AEGIS}.",
    ),
]


def compare(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    with_: With = ALL_DETECTORS,
    preset_name: Preset = "default",
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
    references: ReferencesMode = "auto",
    fresh: Fresh = False,
    quiet: Quiet = False,
) -> None:
    """Compare AEGIS with other detectors on one model: what does each say, how sure, and how long does it take?

    Examples:

        aegis compare suspect.safetensors
        aegis compare model.pt --data photos/ --with nc,mmbd
        aegis compare model.pt --data photos/ --with nc,aegis --json out.json

    Exit codes: those of aegis scan; without AEGIS, 1 if any of the detectors flags a class. The preset, references and
    precision are those of AEGIS; the others run with settings of their own. Results are kept, each by itself, and found
    again.
    """
    chosen = _chosen(with_)
    if entry == ALL:
        raise ConfigError("one network to compare detectors on", f"--entry {ALL}", "Name one, or leave --entry out.")
    images = images_for(checkpoint, data, size, channels, quiet)
    config = adjusted(preset(preset_name, images.name, images.shape), seed=seed)
    request = ScanRequest(
        file=checkpoint.name,
        checkpoint=checkpoint,
        load=cache(reader(checkpoint, images, arch, mean, std, entry, quiet)),
        images=images,
        config=referenced(config, images, references) if AEGIS in chosen else config,
        architecture=arch,
        mean=mean,
        std=std,
        entry=entry,
        device=device,
        precision=precision,
        workers=workers,
    )
    record = compare_detectors(
        request,
        chosen,
        Store(),
        lambda scan: find_or_scan(scan, fresh=fresh, quiet=quiet).record,
        lambda title: progress_bar(title, quiet),
        seed=seed,
        resume_hint=this_command(),
        fresh=fresh,
    )
    if json is not None:
        write_text(json, record.to_json())
    print_comparison(record, quiet)
    raise typer.Exit(EXIT_CODES[record.verdict])


def _chosen(text: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(names(text)))
    unknown = [name for name in chosen if name not in DETECTORS]
    if unknown or not chosen:
        raise ConfigError(
            f"detectors for --with among {', '.join(DETECTORS)}", repr(text), "Write for example --with nc,aegis."
        )
    return chosen


def print_comparison(record: ComparisonRecord, quiet: bool) -> None:
    """Prints whether the detectors agree, then a line for every detector and one for every class.

    Args:
        record: the comparison.
        quiet: the sentence alone.
    """
    out, colour = Printer(), COLOURS[record.verdict]
    sentence = clean(record.sentence, 5000)
    if quiet:
        out.say((sentence, colour), wrap=False)
        return
    out.say((clean(record.file), "bold"), f", SHA-256 {record.sha256[:16]}…, {clean(record.data.name)}")
    out.line()
    out.say((sentence, f"bold {colour}"))
    out.line()
    out.show(_detector_table(record))
    out.line()
    out.show(_class_table(record))
    out.line()
    for one in record.detectors:
        limit = "above" if one.measure == "anomaly index" else "at most"
        out.note(f"{one.name}: {one.title}; {one.statistic} by class; flags at {one.measure} {limit} {one.cut:g}")


def _detector_table(record: ComparisonRecord) -> Table:
    table = make_table(("detector", "verdict", "classes"), ("anomaly index", "p-value", "s"))
    for one in record.detectors:
        flagged = ", ".join(numbered(label, record.data.class_names[label], 30) for label in one.flagged_classes)
        value = "" if one.value is None else f"{one.value:.2g}"
        index, p_value = (value, "") if one.measure == "anomaly index" else ("", value)
        verdict = Text(one.verdict, COLOURS[one.verdict])
        table.add_row(Text(one.title), verdict, Text(flagged or "none"), index, p_value, f"{one.seconds:.0f}")
    return table


def _class_table(record: ComparisonRecord) -> Table:
    table = make_table(("class",), [one.name for one in record.detectors])
    table.columns[0].max_width = 40
    for label, name in enumerate(record.data.class_names):
        table.add_row(Text(numbered(label, name, 60)), *(_score(one, label) for one in record.detectors))
    return table


def _score(one: DetectorRecord, label: int) -> Text:
    score = one.scores[label]
    # One unit for all of a detector's scores, shares as percentages as in other tables.
    said = "" if score is None else f"{score:.0%}" if one.name == AEGIS else f"{score:.3g}"
    return Text(said, "bold red" if label in one.flagged_classes else "")
