"""``aegis report``: a finished scan as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import labels, option, writable
from aegis.cli.output import Printer, clean
from aegis.cli.progress import waiting
from aegis.data import load_dataset
from aegis.errors import AegisError, ConfigError, DataError
from aegis.files import whole_file

if TYPE_CHECKING:
    from aegis.detect.record import ScanRecord
    from aegis.report.review import Review
    from aegis.types import Dataset, Finding

Scan = Annotated[Path, typer.Argument(metavar="SCAN", help="A result of aegis scan --json.", show_default=False)]
Pdf = Annotated[
    Path,
    typer.Option("--pdf", metavar="OUT.pdf", help="Where to write.", show_default=False, callback=writable("--pdf")),
]
Images = Annotated[
    str | None,
    option("--data", "SOURCE", "The images that were scanned, where they are no longer found under their name."),
]
Note = Annotated[str | None, option("--note", "TEXT", "The analyst's note, for the first page.")]
Confirm = Annotated[str | None, option("--confirm", "3,7", "Classes that the analyst holds to be backdoored.")]
Dismiss = Annotated[str | None, option("--dismiss", "5", "Classes that the analyst holds to be falsely accused.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is missing.")]


def report(
    scan: Scan,
    pdf: Pdf,
    data: Images = None,
    note: Note = None,
    confirm: Confirm = None,
    dismiss: Dismiss = None,
    quiet: Quiet = False,
) -> None:
    """Write the verdict of a scan as a PDF that can be handed on.

    Examples:

        aegis report result.json --pdf verdict.pdf
        aegis report result.json --pdf verdict.pdf --confirm 7 --note Seen

    Pictures come from what the scan left in AEGIS_STORE, by default ~/.cache/aegis, and from its images. Where these
    are gone, the report is written without them, and says so. The same scan gives the same bytes.
    """
    from aegis.detect.record import read_record

    record = read_record(scan)
    if pdf.exists() and pdf.samefile(scan):
        raise ConfigError("--pdf to name another file than the scan", str(pdf), "Choose another path.")
    review = _review(record, note, confirm, dismiss)
    with waiting("writing the report", quiet):
        images, gone = _images(record, data)
        findings, lost = _findings(record)
        from aegis.report.pdf import make_pdf

        content = make_pdf(record, findings, images, review)
        with whole_file(pdf) as file:
            file.write(content)
    if missing := [reason for reason in (gone, lost) if reason]:
        Printer(stderr=True).say(
            ("aegis: ", "bold yellow"), clean(f"Some pictures are missing: {'; '.join(missing)}.", 4000), wrap=False
        )
    if not quiet:
        Printer().say(clean(str(pdf), 4000), wrap=False)


def _review(record: ScanRecord, note: str | None, confirm: str | None, dismiss: str | None) -> Review:
    from aegis.report.review import Review

    confirmed, dismissed = labels(confirm) or (), labels(dismiss) or ()
    known = {found.label for found in record.classes}
    _require_none([label for label in (*confirmed, *dismissed) if label not in known], "classes that were scanned")
    _require_none([label for label in confirmed if label in dismissed], "each class confirmed or dismissed, not both")
    return Review(note or "", {**dict.fromkeys(confirmed, "confirmed"), **dict.fromkeys(dismissed, "dismissed")})


def _require_none(wrong: Sequence[int], expected: str) -> None:
    if wrong:
        raise ConfigError(expected, ", ".join(map(str, wrong)), "Correct --confirm and --dismiss.")


def _images(record: ScanRecord, source: str | None) -> tuple[Dataset | None, str]:
    """The scan's images, or None and why they are missing; images that the user names must be right."""
    try:
        images = load_dataset(source or record.data.name)
        if images.digest != record.data.digest:
            raise DataError(
                "the images that were scanned", f"others under {clean(images.name)}", "Name them with --data."
            )
    except DataError as error:
        if source is not None:
            raise
        return None, f"the scan's images ({error.got})"
    return images, ""


def _findings(record: ScanRecord) -> tuple[dict[int, Finding], str]:
    """What the store has of the classes that are shown, and why the rest is missing."""
    from aegis.report.strength import featured
    from aegis.store import Store, find_class

    shown = featured(record)
    try:
        store = Store()
        found = {label: find_class(store, record, label) for label in shown}
    except AegisError as error:
        return {}, f"what was computed ({error.got})"
    kept = {label: finding for label, finding in found.items() if finding is not None}
    lost = ", ".join(str(label) for label in shown if label not in kept)
    return kept, f"{store.folder} no longer has what was computed for class {lost}" if lost else ""
