"""Find a finished scan in the store or run it, the same way for the command line and the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aegis.core.runtime import Report, Runtime, silent
from aegis.core.types import Dataset
from aegis.detect.steps import Steps
from aegis.records.config import ScanConfig, Triage
from aegis.records.record import ScanRecord
from aegis.store.cached_steps import Keeper, stored
from aegis.store.keys import key_of, model_part, scan_key
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.models.load import Suspect


@dataclass(frozen=True, eq=False, kw_only=True)
class ScanRequest:
    """One scan as a user asks for it.

    Args:
        file: the checkpoint's name, as recorded.
        checkpoint: its file.
        load: reads the model from it, which needs torch.
        images: the data set to scan with.
        config: settings of the scan.
        labels: classes to test, or None for all.
        architecture: by name; None takes the card's.
        mean, std: normalisation as the user typed it, or None.
        entry: which of several networks in the file, or None.
        device, precision: as in ``choose_runtime``.
        workers: classes examined side by side; None takes one for each processor core.
        triage: how long the likeliest classes are examined; None to examine all that are asked for.
    """

    file: str
    checkpoint: Path
    load: Callable[[], Suspect]
    images: Dataset
    config: ScanConfig
    labels: tuple[int, ...] | None = None
    architecture: str | None = None
    mean: str | None = None
    std: str | None = None
    entry: str | None = None
    device: str = "auto"
    precision: str = "auto"
    workers: int | None = None
    triage: Triage | None = None

    def key(self, suspect: Suspect | None = None) -> str:
        """Gives the scan's key in the store; needs no torch.

        Args:
            suspect: the model if it was loaded; None takes the file as it lies there.

        Raises:
            CheckpointError: if the file cannot be read.
        """
        model = model_part(self.checkpoint, suspect, self.architecture, self.mean, self.std, self.entry)
        key = scan_key(self.file, model, self.images, self.config, self.labels, self.device, self.precision)
        # With more time the same triage goes on, so that the time is no part of it.
        return key if self.triage is None else key_of("triage", key)

    def is_finished(self, record: ScanRecord) -> bool:
        """Tells whether a saved record is all that the request asks for; a triage may have stopped for want of time."""
        ranked = record.triage
        return ranked is None or record.verdict != "inconclusive" or len(record.classes) == len(ranked.sizes)

    def runtime(self) -> Runtime:
        """Chooses device, precision and number of classes side by side, with ``auto`` resolved.

        Raises:
            ConfigError: for a device or precision that this machine does not have.
        """
        from aegis.core.runtime import choose_runtime

        return choose_runtime(self.device, self.precision, self.workers)

    def steps(self, suspect: Suspect, store: Keeper | None) -> Steps:
        """Gives the costly steps of the scan.

        Args:
            suspect: the model.
            store: where each step is looked up before it is computed; None computes all of them.
        """
        from aegis.detect.scan import STEPS

        if store is None:
            return STEPS
        return stored(STEPS, store, suspect.digest, self.images.digest, suspect.classifier.fitted(self.runtime()))

    def check_normalisation(self, suspect: Suspect) -> None:
        """Offers another normalisation if the model is right about far more images with it; arguments as in ``run``.

        Raises:
            CheckpointError: if so.
        """
        from aegis.services.normalisation import check_normalisation

        typed = self.mean is not None or self.std is not None
        check_normalisation(suspect, self.images, self.runtime(), typed=typed)

    def run(self, suspect: Suspect, steps: Steps, report: Report = silent) -> ScanRecord:
        """Scans the model.

        Args:
            suspect: the model.
            steps: compute the costly steps.
            report: told of progress; may raise ``Cancelled``.

        Raises:
            AegisError: if model, images and settings do not fit together, or the model needs another normalisation.
        """
        from aegis.detect.scan import scan
        from aegis.detect.triage import triage

        self.check_normalisation(suspect)
        images, how = self.images, self.triage
        given: Mapping[str, Any] = {"runtime": self.runtime(), "steps": steps, "report": report}
        if how is None:
            result = scan(suspect, images, self.config, labels=self.labels, **given)
        else:
            result = triage(suspect, images, self.config, how, **given)
        return result.record(self.file)


@dataclass(frozen=True, eq=False)
class ScanOutcome:
    """A finished scan in the store.

    Args:
        key: of the scan in the store.
        record: what was found.
        found: whether it was there already, with all the arrays that it needs.
        suspect: the model if it had to be loaded, or None.
    """

    key: str
    record: ScanRecord
    found: bool
    suspect: Suspect | None


def find_or_run(
    request: ScanRequest,
    store: Store,
    run: Callable[[Suspect, Store | None], ScanRecord],
    *,
    what: str,
    resume_hint: str,
    fresh: bool = False,
) -> ScanOutcome:
    """Returns a finished scan from the store, or runs and saves it.

    Args:
        request: the scan.
        store: where it is looked up and saved.
        run: scans a model with the caller's progress; looks steps up in the store that it is given, if any.
        what: the file as named to people while the scan runs.
        resume_hint: how to resume it if its process is killed, as a command or a sentence.
        fresh: compute everything anew.

    Raises:
        AegisError: if model, images and settings do not fit together, or the store cannot be used.
    """
    # The user's own code can change while the file stays the same, and a file may hold several networks, so the loaded
    # model identifies the scan.
    suspect = None if request.architecture is None and request.entry is None else request.load()
    key = request.key(suspect)
    known = None if fresh else store.find_scan(key)
    if known is not None and request.is_finished(known) and store.is_whole(key):
        return ScanOutcome(key, known, True, suspect)
    with store.working("scan", what, key, resume_hint):
        suspect = suspect or request.load()
        record = run(suspect, None if fresh else store)
        if known is not None and known.model.sha256 == record.model.sha256:
            # The scan was saved, but arrays were missing or damaged; its positive control needs none of them.
            record = record.model_copy(update={"control": known.control})
        # The file may have been replaced since it was looked up.
        key = request.key(suspect)
        store.keep_scan(key, record)
    return ScanOutcome(key, record, False, suspect)
