"""A scan again, from its own record alone."""

from __future__ import annotations

from pathlib import Path

from aegis.cli.progress import class_bars, waiting
from aegis.cli.suspects import load
from aegis.data import load_dataset
from aegis.detect.record import ScanRecord, config_of
from aegis.errors import CheckpointError, DataError
from aegis.lab.bank import BUNDLED
from aegis.models.card import printable
from aegis.models.formats import file_digest
from aegis.types import Dataset


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
    """The record of the same scan, computed anew.

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
    from aegis.detect.scan import scan
    from aegis.models.architectures import runs_foreign_code
    from aegis.runtime import choose_runtime

    config, model = config_of(recorded), recorded.model
    path = _find_checkpoint(recorded, result, checkpoint)
    with waiting("reading images", quiet):
        images = _images(recorded, data)
    # A record may come from a stranger as well, and must not choose code that is run.
    told = arch or (None if runs_foreign_code(model.architecture) else model.architecture)
    with waiting("reading the model", quiet):
        suspect = load(path, images, told, mean or _typed(model.mean), std or _typed(model.std))
    if suspect.digest != model.digest:
        raise CheckpointError(
            "the model as it was scanned",
            "its file, read with another architecture or normalisation",
            "Give --arch, --mean and --std as they were given to the scan.",
        )
    runtime = choose_runtime(_device(recorded), recorded.runtime.precision, workers)
    # Earlier versions did not record what was asked for.
    some = len(recorded.classes) < len(recorded.data.class_names)
    labels = recorded.labels or (tuple(one.label for one in recorded.classes) if some else None)
    classes = len(labels or images.class_names)
    with class_bars(classes, config.gather.transplant is not None, quiet) as report:
        return scan(suspect, images, config, labels=labels, runtime=runtime, report=report).record(model.file)


def _find_checkpoint(recorded: ScanRecord, result: Path, given: Path | None) -> Path:
    name = Path(recorded.model.file).name
    places = [given] if given else [result.parent / name, Path(name), BUNDLED / name]
    for path in places:
        if path.is_file() and file_digest(path) == recorded.model.sha256:
            return path
    raise CheckpointError(
        f"the model that was scanned, {printable(name)} (SHA-256 {printable(recorded.model.sha256, 64)})",
        f"another file: {given}" if given and given.exists() else "no such file",
        "Give it with --checkpoint FILE.",
    )


def _images(recorded: ScanRecord, source: str | None) -> Dataset:
    images = load_dataset(source or recorded.data.name)
    if images.digest != recorded.data.digest:
        raise DataError(
            "the images that were scanned", f"others under {printable(images.name, 200)}", "Give them with --data."
        )
    # A moved data set has another name, which is no difference in what is computed.
    return Dataset(recorded.data.name, images.train, images.test)


def _typed(numbers: tuple[float, ...] | None) -> str | None:
    return None if numbers is None else ",".join(map(repr, numbers))


def _device(recorded: ScanRecord) -> str:
    import torch

    return "cpu" if recorded.runtime.device == "cuda" and not torch.cuda.is_available() else recorded.runtime.device
