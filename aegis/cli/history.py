"""``aegis history``: what was scanned, what is being done, and what was interrupted."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from aegis.cli.options import choice, flag, option
from aegis.cli.output import COLOURS, Printer, clean, make_table
from aegis.core.errors import ConfigError
from aegis.core.text import minute
from aegis.records.review import say_decisions
from aegis.records.settings import spent
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.records.record import ScanRecord
    from aegis.records.review import Reviews
    from aegis.store.tasks import Work

# Characters of a key that identify a scan.
SHOWN = 12
_AGO = re.compile(r"(\d{1,4})([dh])")

Verdict = Annotated[str | None, choice("--verdict", tuple(COLOURS), "Only scans with this verdict.")]
Model = Annotated[
    str | None,
    option("--model", "TEXT", "Only scans of models whose file name has this in it, or whose SHA-256 begins so."),
]
Data = Annotated[str | None, option("--data", "TEXT", "Only scans with images whose name has this in it.")]
Since = Annotated[
    str | None, option("--since", "WHEN", "Only scans from then on: a date such as 2024-05-01 (UTC), or 7d, or 12h.")
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", help="At most so many scans, the latest.", min=1)]
AsJson = Annotated[bool, flag("--json", "Print JSON for other programs, with the whole records.")]


def history(
    verdict: Verdict = None,
    model: Model = None,
    data: Data = None,
    since: Since = None,
    limit: Limit = 20,
    json: AsJson = False,
) -> None:
    """List what was scanned, what came out, what is being done, and what was interrupted.

    Examples:

        aegis history
        aegis history --verdict infected --since 7d
        aegis history --model fashion_mnist --json

    Interrupted work is a scan, a training or a report whose process was killed; it goes on from the last class or
    epoch that was finished when the command beside it is given again.
    """
    first, store = _first(since), Store()
    reviews = store.reviews()
    file, images = (model or "").lower(), (data or "").lower()
    kept = store.scans(None)
    found = [
        (key, record)
        for key, record in kept
        if verdict in (None, record.verdict)
        and (file in record.model.file.lower() or record.model.sha256.startswith(file))
        and images in record.data.name.lower()
        and record.created >= first
    ]
    running, interrupted = store.running(), store.interrupted()
    if json:
        _print_json(found[:limit], reviews, running, interrupted)
        return
    out = Printer()
    _print_works(out, "Running ", running)
    _print_works(out, "Interrupted ", interrupted)
    if running or interrupted:
        out.line()
    unread = store.count() - len(kept)
    if found:
        out.show(_table(found[:limit], reviews))
    elif kept or not unread:
        out.say("No scan is kept that fits." if kept else "Nothing was scanned yet.")
    if len(found) > limit:
        out.note(f"{len(found) - limit} older ones are not shown (--limit)")
    if unread:
        out.note(f"{unread} that another version of AEGIS wrote cannot be shown")


def _first(since: str | None) -> str:
    if since is None:
        return ""
    if ago := _AGO.fullmatch(since):
        span = timedelta(**{{"d": "days", "h": "hours"}[ago[2]]: int(ago[1])})
        return (datetime.now(UTC) - span).isoformat(timespec="seconds")
    try:
        return date.fromisoformat(since).isoformat()
    except ValueError:
        raise ConfigError("a date or a time span for --since", repr(since), "Write 2024-05-01, 7d or 12h.") from None


def _table(found: list[tuple[str, ScanRecord]], reviews: Mapping[str, Reviews]) -> Table:
    table = make_table(())
    for heading in ("when (UTC)", "verdict", "review", "model", "images", "classes", "flagged", "seed"):
        table.add_column(heading, overflow="fold")
    table.add_column("s", justify="right")
    table.add_column("key", no_wrap=True)
    for key, record in found:
        of = len(record.data.class_names)
        table.add_row(
            minute(record.created),
            Text(record.verdict, COLOURS[record.verdict]),
            Text(clean(say_decisions(record, reviews.get(key, ())), 120)),
            Text(clean(record.model.file, 60)),
            Text(clean(record.data.name, 40)),
            f"{len(record.classes)} of {of}",
            ", ".join(map(str, record.flagged_classes)) or Text("none", "dim"),
            clean(str(record.config.get("gather", {}).get("seed", ""))),
            f"{spent(record):.0f}",
            Text(clean(key[:SHOWN]), "dim"),
        )
    return table


def _print_works(out: Printer, state: str, works: list[Work]) -> None:
    for work in works:
        out.say(
            (state, "bold yellow"),
            f"{work.kind} of {clean(work.what)}, begun {minute(work.begun)} UTC ",
            (work.key[:SHOWN], "dim"),
        )
        if work.resume_hint and not work.process.alive:
            out.say("  Go on with: " if work.is_command else "  ", clean(work.resume_hint, 2000), wrap=False)


def _print_json(
    found: list[tuple[str, ScanRecord]], reviews: Mapping[str, Reviews], running: list[Work], interrupted: list[Work]
) -> None:
    plain = {
        "scans": [{"key": key, **record.model_dump(mode="json")} for key, record in found],
        "reviews": {key: [jsonlib.loads(one.to_json()) for one in reviews[key]] for key, _ in found if key in reviews},
        "running": [_plain(work) for work in running],
        "interrupted": [_plain(work) for work in interrupted],
    }
    Printer().say(jsonlib.dumps(plain, indent=2), wrap=False)


def _plain(work: Work) -> dict[str, str]:
    return {"kind": work.kind, "what": work.what, "key": work.key, "again": work.resume_hint, "begun": work.begun}
