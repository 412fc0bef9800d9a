"""Repeats a scan from its record alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aegis.cli.progress import waiting
from aegis.cli.scan import run_with_bars
from aegis.cli.suspects import reader
from aegis.core.errors import CheckpointError
from aegis.core.runtime import at_hand
from aegis.core.text import printable
from aegis.core.types import Dataset
from aegis.lab.bank.suspects import BUNDLED
from aegis.models.intake.formats import file_digest
from aegis.records.config import Triage
from aegis.records.record import ModelRecord, ScanRecord, config_of
from aegis.services.report_inputs import find_images
from aegis.services.scan import ScanRequest

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def repeat(
    recorded: ScanRecord,
    result: Path,
    checkpoint: Path | None,
    data: str | None,
    *,
    arch: str | None,
    mean: str | None,
    std: str | None,
    workers: int | None,
    quiet: bool,
) -> ScanRecord:
    """Computes a recorded scan anew.

    Args:
        recorded: the scan.
        result: its file; the model is looked for beside it.
        checkpoint, data: where model and images are, if the user says so.
        arch, mean, std: what the model is, where the record does not say it or may not.
        workers: classes examined side by side; None takes one for each processor core.
        quiet: show no progress.

    Raises:
        AegisError: if model, images or settings are not those of the scan.
    """
    from aegis.models.architectures import runs_foreign_code

    config, model = config_of(recorded), recorded.model
    path = _find_checkpoint(recorded, result, checkpoint)
    with waiting("reading images", quiet):
        images = _images(recorded, data)
    # Earlier versions did not record what was asked for.
    some = len(recorded.classes) < len(recorded.data.class_names)
    labels = recorded.labels or (tuple(one.label for one in recorded.classes) if some else None)
    # A record may come from a stranger as well, and must not choose code that is run.
    told = arch or (None if runs_foreign_code(model.architecture) else model.architecture)
    mean, std = mean or _typed(model.mean), std or _typed(model.std)
    request = ScanRequest(
        file=model.file,
        checkpoint=path,
        load=reader(path, images, told, mean, std, model.entry, quiet),
        images=images,
        config=config,
        labels=None if recorded.triage else labels,
        architecture=told,
        mean=mean,
        std=std,
        entry=model.entry,
        device=at_hand(recorded.runtime.device),
        precision=recorded.runtime.precision,
        workers=workers,
        triage=_again(recorded),
    )
    suspect = request.load()
    _refuse_another(suspect, model)
    return run_with_bars(request, suspect, None, quiet)


def _refuse_another(suspect: Suspect, model: ModelRecord) -> None:
    from aegis.models.steadiness import RANDOM

    if suspect.digest == model.digest:
        return
    if RANDOM in suspect.reading:
        raise CheckpointError(
            "the model as it was scanned",
            "one whose answers differ from call to call, so that nothing tells whether it is the same",
            "Repeat the scan with a network that adds no noise when it is evaluated.",
        )
    raise CheckpointError(
        "the model as it was scanned",
        "its file, read with another architecture or normalisation",
        "Give --arch, --mean and --std as they were given to the scan.",
    )


def _find_checkpoint(recorded: ScanRecord, result: Path, given: Path | None) -> Path:
    name = Path(recorded.model.file).name
    places = [given] if given else [result.parent / name, Path(name), BUNDLED / name]
    there = [path for path in places if path.is_file()]
    for path in there:
        if file_digest(path) == recorded.model.sha256:
            return path
    raise CheckpointError(
        f"the model that was scanned, {printable(name)} (SHA-256 {printable(recorded.model.sha256, 64)})",
        f"another file: {there[0]}" if there else "no such file",
        "Give it with --checkpoint FILE.",
    )


def _images(recorded: ScanRecord, source: str | None) -> Dataset:
    images, _ = find_images(recorded, source or recorded.data.name)
    assert images is not None
    # A moved data set has another name, which is no difference in what is computed.
    return Dataset(recorded.data.name, images.train, images.test)


def _again(recorded: ScanRecord) -> Triage | None:
    """Examines the classes of a triage again, in whatever time it takes."""
    if recorded.triage is None:
        return None
    examined, measured = tuple(one.label for one in recorded.classes), bool(recorded.model.universal_areas)
    return Triage(budget=recorded.triage.budget, only=examined, measured=measured)


def _typed(numbers: tuple[float, ...] | None) -> str | None:
    return None if numbers is None else ",".join(map(repr, numbers))
