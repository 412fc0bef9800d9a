"""``aegis report``: a finished scan as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import flag, labels, option, writable
from aegis.cli.output import Printer, clean
from aegis.cli.progress import waiting
from aegis.cli.remembered import remembered
from aegis.core.errors import ConfigError
from aegis.core.files import whole_file

if TYPE_CHECKING:
    from aegis.records.record import ScanRecord
    from aegis.records.review import Review

Scan = Annotated[Path, typer.Argument(metavar="SCAN", help="A result of aegis scan --json.", show_default=False)]
Pdf = Annotated[Path, option("--pdf", "OUT.pdf", "Where to write.", callback=writable("--pdf"))]
Images = Annotated[
    str | None,
    option("--data", "SOURCE", "The images that were scanned, where they are no longer found under their name."),
]
Note = Annotated[str | None, option("--note", "TEXT", "One more review's reason, for the first page.")]
Confirm = Annotated[str | None, option("--confirm", "3,7", "Classes that the analyst holds to be backdoored.")]
Dismiss = Annotated[str | None, option("--dismiss", "5", "Classes that the analyst holds to be falsely flagged.")]
Author = Annotated[str | None, option("--author", "NAME", "Who gives that reason, or decides.")]
Quiet = Annotated[bool, flag("--quiet", "Say nothing unless something is missing.", short="-q")]


def report(
    scan: Scan,
    pdf: Pdf,
    data: Images = None,
    note: Note = None,
    confirm: Confirm = None,
    dismiss: Dismiss = None,
    author: Author = None,
    quiet: Quiet = False,
) -> None:
    """Write the verdict of a scan as a PDF that can be handed on.

    Examples:

        aegis report result.json --pdf verdict.pdf
        aegis report result.json --pdf verdict.pdf --confirm 7 --author Ann

    Reviews written in the dashboard are in it, and after them what the options add, for this report alone. Pictures
    come from what the scan left in AEGIS_STORE, by default ~/.cache/aegis, and from its images. Where these are gone,
    the report is written without them, and says so. The same scan and reviews give the same bytes.
    """
    from aegis.records.record import read_record
    from aegis.services.report_inputs import find_findings, find_images, find_reviews, say_missing

    record = read_record(scan)
    if pdf.exists() and pdf.samefile(scan):
        raise ConfigError("--pdf to name another file than the scan", str(pdf), "Choose another path.")
    added = _added(record, note, confirm, dismiss, author)
    with remembered("report", pdf), waiting("writing the report", quiet):
        images, gone = find_images(record, data)
        findings, lost = find_findings(record)
        from aegis.report.pdf import make_pdf

        content = make_pdf(record, findings, images, (*find_reviews(record), *added))
        with whole_file(pdf) as file:
            file.write(content)
    if missing := say_missing(gone, lost):
        Printer(stderr=True).say(("aegis: ", "bold yellow"), clean(missing, 4000), wrap=False)
    if not quiet:
        Printer().say(clean(str(pdf), 4000), wrap=False)


def _added(
    record: ScanRecord, note: str | None, confirm: str | None, dismiss: str | None, author: str | None
) -> list[Review]:
    """The review that the options make, if they make one; without a date, so that the same command gives the same."""
    from aegis.records.review import Review

    confirmed, dismissed = labels(confirm, "--confirm") or (), labels(dismiss, "--dismiss") or ()
    known = {found.label for found in record.classes}
    _require_none([label for label in (*confirmed, *dismissed) if label not in known], "classes that were scanned")
    _require_none([label for label in confirmed if label in dismissed], "each class confirmed or dismissed, not both")
    made = Review(
        note or "", {**dict.fromkeys(confirmed, "confirmed"), **dict.fromkeys(dismissed, "dismissed")}, author or ""
    )
    return [made] if made.note or made.decisions else []


def _require_none(wrong: Sequence[int], expected: str) -> None:
    if wrong:
        raise ConfigError(expected, ", ".join(map(str, wrong)), "Correct --confirm and --dismiss.")
