"""A look at one more budget of one class: what a job computes for Inspect; no Streamlit here, and torch only inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.detect.config import at_budget
from aegis.detect.record import ScanRecord, config_of, config_record
from aegis.errors import CheckpointError
from aegis.runtime import Report
from aegis.store import Store, stored
from aegis.types import Dataset
from aegis.ui.scan_watch import Watch
from aegis.ui.suspects import load_again

if TYPE_CHECKING:
    from aegis.models.load import Suspect


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """What is wanted.

    Args:
        record: of the scan, with the settings of the look.
        label: the class.
        images: of the scan.
        path: where the suspect lies, or None.
        suspect: the suspect itself where it was uploaded, or None.
    """

    record: ScanRecord
    label: int
    images: Dataset
    path: Path | None = None
    suspect: Suspect | None = None


def looking(record: ScanRecord, epsilon: float) -> ScanRecord:
    """The record of a scan as it would be with one budget alone, by which the store finds what a look computed.

    Raises:
        AegisError: if the record is of another version, or the budget out of range.
    """
    return record.model_copy(update={"config": config_record(at_budget(config_of(record), epsilon))})


def take(look: Look, report: Report, watch: Watch) -> None:
    """Translate, read features and embed them; the store keeps what comes of it.

    Args:
        look: what is wanted.
        report: told of progress; raises ``Cancelled`` when the user has had enough.
        watch: what the page looks at.

    Raises:
        AegisError: if the suspect is gone or the store cannot be used.
    """
    watch.know(look.images.class_names, (look.label,), tries=False)
    watch.say("Reading the model")
    suspect = look.suspect or (load_again(look.path, look.record) if look.path else None)
    if suspect is None:
        raise CheckpointError(
            "the suspect that was scanned",
            "none that reads as the same model",
            f"Put the file with SHA-256 {look.record.model.sha256} among the suspects again.",
        )
    from aegis.detect.scan import STEPS
    from aegis.runtime import choose_runtime

    watch.say("Translating")
    runtime = choose_runtime(look.record.runtime.device, look.record.runtime.precision)
    steps = stored(STEPS, Store(), suspect.digest, look.images.digest, runtime)
    config = config_of(look.record)
    evidence = steps.gather(suspect.classifier.frozen(runtime), look.images, look.label, config.gather, report=report)
    watch.say("Drawing features in the plane")
    steps.embed(evidence, config.embed, report=report)
