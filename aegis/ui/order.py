"""One scan as a page asks for it, and how a job runs it; no Streamlit here, and torch is imported only inside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aegis.core.errors import AegisError, CheckpointError
from aegis.core.parsing import numbers
from aegis.core.runtime import Report
from aegis.core.types import Applicability, Dataset, Evidence
from aegis.detect.steps import Steps
from aegis.models.card import Identity
from aegis.records.config import ScanConfig
from aegis.records.presets import adjusted, preset
from aegis.records.record import ScanRecord
from aegis.services.references import with_references
from aegis.services.scan import ScanRequest, find_or_run
from aegis.store.store import Store
from aegis.ui.caches import UploadCache, Uploads, named_images
from aegis.ui.uploads import UPLOADED, ImagesSummary, Upload, Workspace, check_architecture, hidden, read_images
from aegis.ui.watch import Progress, computed_on

if TYPE_CHECKING:
    from aegis.models.load import Suspect

AGAIN = "Start the same scan again on the Scan page."


@dataclass(frozen=True, eq=False)
class Settings:
    """Settings chosen on the page.

    Args:
        preset: one of ``PRESETS``.
        changes: settings that replace those of the preset, as arguments of ``adjusted``.
        labels: classes to test, or None for all.
        references: as in ``with_references``.
    """

    preset: str = "default"
    changes: dict[str, Any] = field(default_factory=dict)
    labels: tuple[int, ...] | None = None
    references: str = "auto"

    def config(self, data: str | None, shape: tuple[int, int, int]) -> ScanConfig:
        """Makes the settings of a scan from those of the page.

        Args:
            data: name of the images, or None.
            shape: channels, height and width of the images.

        Raises:
            ConfigError: for a value out of range.
        """
        return adjusted(preset(self.preset, data, shape), **self.changes)


@dataclass(frozen=True, eq=False, kw_only=True)
class Order:
    """What to scan and how.

    Args:
        file: the checkpoint's name, as recorded.
        checkpoint: a bundled file, or one in the workspace.
        source: one of ``SOURCES``, or None for uploaded images.
        images: uploaded images in the workspace, or None.
        images_name: what the user calls them.
        architecture: by name; None takes the card's.
        mean, std: numbers as typed, or None.
        entry: which of several networks in the file, or None.
        settings: as chosen on the page.
        measure_only: stop once accuracy and robustness are known.
        workspace: folder of the uploads, or None.
        fingerprint: what tells model and images apart before they are read.
        title: what the suspect is called while it is scanned; empty for the file's name.
    """

    file: str
    checkpoint: Path
    source: str | None = None
    images: Path | None = None
    images_name: str = ""
    architecture: str | None = None
    mean: str | None = None
    std: str | None = None
    entry: str | None = None
    settings: Settings = field(default_factory=Settings)
    measure_only: bool = False
    workspace: Workspace | None = None
    fingerprint: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of an order; without key and record, only accuracy and robustness were measured.

    Args:
        key: of the scan.
        record: the scan.
    """

    key: str | None = None
    record: ScanRecord | None = None


def carry_out(order: Order, report: Report, watch: Progress) -> Outcome:
    """Measures or scans, reusing and keeping results in the store.

    Args:
        order: what to scan and how.
        report: told of progress; raises ``Cancelled`` when the user has had enough.
        watch: collects progress for the page.

    Returns:
        The key and record of the scan, if there was one.

    Raises:
        AegisError: if something does not fit, with the workspace's path left out of the message.
    """
    with hidden(order.workspace):
        watch.say("Reading the images")
        request = _request(order, _images(order), watch)
        watch.know(request.images.class_names, request.labels, tries=request.config.gather.trigger_search is not None)
        if order.measure_only:
            suspect = request.load()
            request.check_normalisation(suspect)
            steps = _shown(request, suspect, Store(), watch)
            steps.assess(
                suspect.classifier.frozen(request.runtime()), request.images, request.config.assess, report=report
            )
            return Outcome()
        found = find_or_run(
            request,
            Store(),
            lambda suspect, store: request.run(suspect, _shown(request, suspect, store, watch), report),
            what=order.file,
            resume_hint=AGAIN,
        )
        return Outcome(found.key, found.record)


def keep_uploads(order: Order, outcome: Outcome, upload_cache: UploadCache) -> None:
    """Keeps what came from a browser for as long as its result may be looked at.

    Args:
        order: that was carried out; its workspace is still there.
        outcome: of it.
        upload_cache: where it is kept.

    Raises:
        AegisError: if it cannot be read again, with the workspace's path left out of the message.
    """
    if order.workspace is None or outcome.key is None:
        return
    with hidden(order.workspace):
        images = _images(order)
        uploaded = order.workspace.holds(order.checkpoint)
        suspect = read_model(order, images.shape, images.class_names) if uploaded else None
        upload_cache.keep(outcome.key, Uploads(images if order.images else None, suspect))


def _images(order: Order) -> Dataset:
    return read_images(order.images, order.images_name) if order.images else named_images(str(order.source))


def _request(order: Order, images: Dataset, watch: Progress) -> ScanRequest:
    settings = order.settings

    def load() -> Suspect:
        watch.say("Reading the model")
        return read_model(order, images.shape, images.class_names)

    return ScanRequest(
        file=order.file,
        checkpoint=order.checkpoint,
        load=load,
        images=images,
        config=with_references(settings.config(images.name, images.shape), images, settings.references),
        labels=settings.labels,
        architecture=order.architecture,
        mean=order.mean,
        std=order.std,
        entry=order.entry,
    )


def read_model(order: Order, shape: tuple[int, int, int], class_names: tuple[str, ...]) -> Suspect:
    """Loads the model of an order.

    Args:
        order: names the file and what the user said of it.
        shape: channels, height and width of the images.
        class_names: of the images, in label order.

    Raises:
        AegisError: if the file is refused, or does not fit the images.
    """
    from aegis.models.load import load_checkpoint

    if order.architecture is not None:
        check_architecture(order.architecture)
    return load_checkpoint(
        order.checkpoint,
        architecture=order.architecture,
        shape=shape,
        class_names=class_names,
        mean=_typed(order.mean),
        std=_typed(order.std),
        entry=order.entry,
    )


def _typed(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else numbers(text, "comma-separated numbers", "0.5")


def _shown(request: ScanRequest, suspect: Suspect, store: Store | None, watch: Progress) -> Steps:
    """The steps of a scan, with what each finds shown at once: robustness, and the best trigger of every class."""
    steps, runtime = request.steps(suspect, store), suspect.classifier.fitted(request.runtime())
    watch.note(*computed_on(runtime))

    def assess(*arguments: Any, **named: Any) -> Applicability:  # noqa: ANN401 - passed on as they are
        watch.say("Measuring accuracy and robustness")
        measured = steps.assess(*arguments, **named)
        watch.measure(measured)
        return measured

    def gather(*arguments: Any, **named: Any) -> Evidence:  # noqa: ANN401
        evidence = steps.gather(*arguments, **named)
        if evidence.triggers:
            watch.find(evidence.label, max(one.flip_rate for one in evidence.triggers))
        return evidence

    return replace(steps, assess=assess, gather=gather)


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenSuspect:
    """The chosen model, before it is loaded.

    Args:
        file: its name.
        sha256: of the file.
        title: what it is called before its verdict is known.
        path: of a bundled one, or None.
        upload: file from the browser, or None.
        identity: from its card, or None.
        recognised: architecture that its tensors say for sure, where it has no card, or None.
        architecture, mean, std, entry: as the user typed them.
    """

    file: str
    sha256: str
    title: str
    path: Path | None = None
    upload: Upload | None = None
    identity: Identity | None = None
    recognised: str | None = None
    architecture: str | None = None
    mean: str | None = None
    std: str | None = None
    entry: str | None = None

    @property
    def named(self) -> str | None:
        """Its architecture, as the user, its card or its tensors say; None while nobody does."""
        return self.architecture or (self.identity.architecture if self.identity else self.recognised)


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenImages:
    """The chosen images: a name or an upload.

    Args:
        source: name of a data set.
        upload: file from the browser.
        summary: what was read of them, or None where that would take long.
    """

    source: str | None = None
    upload: Upload | None = None
    summary: ImagesSummary | None = None


def place(suspect: ChosenSuspect, images: ChosenImages, settings: Settings, measure_only: bool) -> Order:
    """Makes an order, with its uploads written to a workspace of its own.

    Args:
        suspect: the chosen model.
        images: the chosen images.
        settings: the chosen settings.
        measure_only: measure accuracy and robustness, without a scan.

    Raises:
        AegisError: if an upload cannot be written.
    """
    workspace = Workspace() if suspect.upload or images.upload else None
    try:
        checkpoint = workspace.put(suspect.upload, "model") if workspace and suspect.upload else suspect.path
        archive = workspace.put(images.upload, "images") if workspace and images.upload else None
    except AegisError:
        assert workspace is not None
        workspace.remove()
        raise
    if checkpoint is None:
        raise CheckpointError("a checkpoint", "none", "Choose one.")
    return Order(
        file=UPLOADED + suspect.file if suspect.upload else suspect.file,
        checkpoint=checkpoint,
        source=images.source,
        images=archive,
        images_name=UPLOADED + images.upload.name if images.upload else "",
        architecture=suspect.architecture,
        mean=suspect.mean,
        std=suspect.std,
        entry=suspect.entry,
        settings=settings,
        measure_only=measure_only,
        workspace=workspace,
        fingerprint=fingerprint(suspect, images),
        title=suspect.title,
    )


def fingerprint(suspect: ChosenSuspect, images: ChosenImages) -> tuple[str, ...]:
    """Identifies what accuracy and robustness depend on, before any file is read.

    Returns:
        Texts that together differ for other choices.
    """
    which = images.upload.digest if images.upload else images.source or ""
    said = (suspect.architecture, suspect.mean, suspect.std, suspect.entry)
    return (suspect.sha256, *(text or "" for text in said), which)
