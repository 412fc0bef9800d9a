"""``aegis gc``: make room in the store."""

from __future__ import annotations

from typing import Annotated

from aegis.cli.history import SHOWN
from aegis.cli.options import flag, option
from aegis.cli.output import Printer, clean
from aegis.core.errors import ConfigError
from aegis.core.text import count_of
from aegis.store.eviction import Plan, parse_limit, say_size
from aegis.store.store import Store

# Fewest characters of a key that identify a scan.
LEAST = 6

Limit = Annotated[
    str | None,
    option("--limit", "SIZE", "Keep at most so much, such as 2 GB, instead of AEGIS_STORE_LIMIT; 0 is no limit."),
]
Unneeded = Annotated[bool, flag("--unneeded", "Remove all that no saved scan needs, whatever the limit.")]
Forget = Annotated[
    str | None,
    option("--forget", "KEY", "Remove this scan, as aegis history names it, with its reviews and what only it needs."),
]
DryRun = Annotated[bool, flag("--dry-run", "Only say what would go.", short="-n")]


def gc(limit: Limit = None, unneeded: Unneeded = False, forget: Forget = None, dry_run: DryRun = False) -> None:
    """Make room where results are kept, and remove what was left over.

    Examples:

        aegis gc --dry-run
        aegis gc --limit "2 GB"
        aegis gc --forget 1f0c9a4e77b2

    What a saved scan needs stays, as does what is in use. Left over are unfinished files of processes that were
    killed, and files that the index does not know. AEGIS_STORE_LIMIT, by default 20 GB, is kept by every scan.
    """
    store, out = Store(), Printer()
    size = store.limit if limit is None else parse_limit(limit, "--limit")
    if unneeded:
        size = 0
    if forget is not None:
        _forget(store, forget, dry_run, out)
    found = store.plan(size) if dry_run else store.collect(size)
    _print(found, dry_run, out)
    if found.excess and not unneeded:
        out.say(
            f"Saved scans alone need {say_size(found.excess)} more than the limit, and nothing of theirs is removed. "
            "Forget some (aegis history, then aegis gc --forget KEY), or raise AEGIS_STORE_LIMIT."
        )


def _forget(store: Store, beginning: str, dry_run: bool, out: Printer) -> None:
    if len(beginning) < LEAST:
        raise ConfigError(f"at least {LEAST} characters of a key", repr(beginning), "aegis history shows keys.")
    known = store.keys(beginning)
    if len(known) != 1:
        what = f"{len(known)} that begin with {beginning!r}" if known else f"none that begins with {beginning!r}"
        raise ConfigError("the key of one scan or of interrupted work", what, "aegis history shows keys.")
    gone = store.only_needed_by(known[0]) if dry_run else store.forget(known[0])
    size = say_size(sum(array.bytes for array in gone))
    out.say(f"{clean(known[0][:SHOWN])} {_went(1, 'forgotten', dry_run)}, with {count_of(len(gone), 'file')} ({size})")


def _print(found: Plan, dry_run: bool, out: Printer) -> None:
    arrays, left = len(found.arrays), len(found.orphans)
    if arrays:
        size = say_size(found.freed)
        out.say(f"{count_of(arrays, 'file')} that no saved scan needs ({size}) {_went(arrays, 'removed', dry_run)}")
    if left:
        out.say(f"{count_of(left, 'file')} left over {_went(left, 'removed', dry_run)}")
    if not (arrays or left):
        out.say("Nothing to remove.")
    most = f" of at most {say_size(found.limit)}" if found.limit else ""
    out.say(f"Kept: {say_size(found.kept)}{most}, of which saved scans need {say_size(found.needed)}")


def _went(number: int, how: str, dry_run: bool) -> str:
    return f"{'would be' if dry_run else 'was' if number == 1 else 'were'} {how}"
