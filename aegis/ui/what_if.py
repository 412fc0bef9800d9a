"""Computes one class with other settings than the scan's, for Inspect Class; no Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.core.errors import CheckpointError, DataError
from aegis.core.runtime import Report, Runtime, silent
from aegis.core.types import Dataset, Evidence
from aegis.records.builders import source_record
from aegis.records.config import GatherConfig, ScanConfig
from aegis.records.presets import at_budget
from aegis.records.record import ScanRecord, config_of, config_record
from aegis.store.cached_steps import stored
from aegis.store.store import Store
from aegis.ui.suspects import load_again
from aegis.ui.watch import Watch

if TYPE_CHECKING:
    from aegis.models.load import Suspect


@dataclass(frozen=True)
class WhatIf:
    """Budget and method for one class.

    Args:
        scan: key of the scan.
        label: the class.
        epsilon: a budget that the scan did not use, or None for those that it used.
        method: of the embedding.
    """

    scan: str
    label: int
    epsilon: float | None
    method: str


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIfJob:
    """A computation with its model and images.

    Args:
        record: of the scan, with these settings.
        what_if: the settings.
        images: of the scan; needed for another budget.
        path: of the suspect, or None.
        suspect: the suspect itself where it was uploaded, or None.
    """

    record: ScanRecord
    what_if: WhatIf
    images: Dataset | None = None
    path: Path | None = None
    suspect: Suspect | None = None


def with_what_if(record: ScanRecord, what_if: WhatIf) -> ScanRecord:
    """Make the record of a scan as it would be with other settings; the store keeps what-if results under it.

    Args:
        record: the scan.
        what_if: the settings.

    Returns:
        The record.

    Raises:
        AegisError: if the record is of another version, or the budget out of range.
    """
    config: ScanConfig = config_of(record)
    if what_if.epsilon is not None:
        config = at_budget(config, what_if.epsilon)
    config = replace(config, embed=replace(config.embed, method=what_if.method))
    # What-if results are computed by the present source, whatever the scan ran with.
    return record.model_copy(update={"config": config_record(config), "source": source_record()})


def run(look: WhatIfJob, report: Report, watch: Watch) -> None:
    """Translate, read features and embed them, reusing and keeping results in the store.

    Args:
        look: the computation.
        report: told of progress; raises ``Cancelled`` when the user has had enough.
        watch: collects progress for the page.

    Raises:
        AegisError: if what is needed is gone or the store cannot be used.
    """
    from aegis.detect.scan import STEPS

    record, label, config = look.record, look.what_if.label, config_of(look.record)
    watch.know(record.data.class_names, (label,), tries=False)

    def gather(
        classifier: object, data: Dataset | None, label: int, config: GatherConfig, *, report: Report = silent
    ) -> Evidence:
        from aegis.core.runtime import choose_runtime

        if data is None:
            raise DataError("the images that were scanned", "none at hand", "Give them under the name they had.")
        watch.say("Reading the model")
        model = _suspect(look).classifier
        watch.say("Translating")
        runtime = choose_runtime(record.runtime.device, record.runtime.precision)
        return STEPS.gather(model.frozen(runtime), data, label, config, report=report)

    runtime = Runtime(device=record.runtime.device, precision=record.runtime.precision)
    steps = stored(replace(STEPS, gather=gather), Store(), record.model.digest, record.data.digest, runtime)
    evidence = steps.gather(None, look.images, label, config.gather, report=report)
    watch.say("Drawing features in the plane")
    steps.embed(evidence, config.embed, report=report)


def _suspect(look: WhatIfJob) -> Suspect:
    suspect = look.suspect or (load_again(look.path, look.record) if look.path else None)
    if suspect is None:
        raise CheckpointError(
            "the suspect that was scanned",
            "none that reads as the same model",
            f"Put the file with SHA-256 {look.record.model.sha256} among the suspects again.",
        )
    return suspect
