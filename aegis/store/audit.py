"""Checks stored files against their digests, and a repeated scan against its record."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from aegis.records.record import ScanRecord
from aegis.store.eviction import array_path
from aegis.store.index import open_index
from aegis.store.packing import Arrays

# A repeated scan takes other seconds at another time, and plants no trigger for a positive control.
NOT_REPEATED = ("created", "seconds", "control")
# What may change numbers without being one; it stands beside the comparison.
SURROUNDINGS = ("versions", "source", "runtime")
# Two versions may word the same numbers differently.
WORDS = ("sentence", "reason")


@dataclass(frozen=True)
class Damage:
    """A file or a saved scan that is not as it was written.

    Args:
        what: a file in the store's folder, or a saved scan.
        why: the difference.
    """

    what: str
    why: str


@dataclass(frozen=True)
class Audit:
    """The outcome of checking a store.

    Args:
        files: number of array files whose digest was compared.
        bytes: their size.
        scans: number of saved scans that were read.
        others: how many of them another version wrote, so that this one cannot check them.
        damage: the damage found.
    """

    files: int
    bytes: int
    scans: int
    others: int
    damage: tuple[Damage, ...]


def arrays_in(content: bytes) -> Arrays | None:
    """Reads the content of an npz file.

    Returns:
        Arrays by name; None if the file is damaged.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception:  # damaged bytes make the readers of zip files and arrays raise almost anything
        return None


def check(folder: Path, index: Path) -> Audit:
    """Compares every file of a store with its digest, and reads every saved scan.

    Returns:
        Counts of what was read, and the damage found.

    Raises:
        sqlite3.Error: if the index cannot be read.
    """
    with open_index(index) as connection:
        found = [Damage(index.name, text) for (text,) in connection.execute("PRAGMA quick_check") if text != "ok"]
        arrays = connection.execute("SELECT key, bytes FROM arrays ORDER BY key").fetchall()
        needed = connection.execute(
            "SELECT DISTINCT array FROM needs LEFT JOIN arrays ON array = arrays.key WHERE arrays.key IS NULL"
        ).fetchall()
        scans = connection.execute("SELECT key, CAST(record AS BLOB) FROM scans ORDER BY key").fetchall()
    found += [damage for key, _ in arrays if (damage := _check_array(folder, index, key))]
    found += [damage for (key,) in needed if (damage := _check_needed(folder, index, key))]
    told = [(key, _state(text)) for key, text in scans]
    found += [Damage(f"scan {key}", "its record cannot be read") for key, state in told if state == "damaged"]
    others = sum(state == "other" for _, state in told)
    return Audit(len(arrays), sum(size for _, size in arrays), len(scans), others, tuple(found))


@dataclass(frozen=True)
class Difference:
    """A value that differs between a record and the repeated scan.

    Args:
        name: its place in the record, as ``classes.7.p_value``.
        recorded: its value in the record, as JSON.
        found: that of the repeated scan.
    """

    name: str
    recorded: str
    found: str


def differences(recorded: ScanRecord, found: ScanRecord) -> list[Difference]:
    """Compares the results of two scans, without times, versions and hardware.

    Sentences are compared only where the same revision of the source made both.
    """
    told = _compare(recorded, found, lambda top: top not in (*NOT_REPEATED, *SURROUNDINGS))
    ignored = () if recorded.source.revision == found.source.revision else WORDS
    return [one for one in told if one.name.rpartition(".")[2] not in ignored]


def surroundings(recorded: ScanRecord, found: ScanRecord) -> list[Difference]:
    """Compares versions, source, device and processor of two scans."""
    return _compare(recorded, found, SURROUNDINGS.__contains__)


def _compare(recorded: ScanRecord, found: ScanRecord, of: Callable[[str], bool]) -> list[Difference]:
    ours, theirs = (_named(record.model_dump(mode="json"), of) for record in (recorded, found))
    # What an older version did not write down cannot differ.
    told = _named(recorded.model_dump(mode="json", exclude_unset=True), of)
    untold = tuple(f"{name}." for name in ours.keys() - told.keys())
    return [
        Difference(name, _say(ours, name), _say(theirs, name))
        for name in dict.fromkeys((*ours, *theirs))
        # 3 and 3.0 are one number, as for keys.
        if (name not in ours or name not in theirs or ours[name] != theirs[name]) and not f"{name}.".startswith(untold)
    ]


def _say(values: dict[str, object], name: str) -> str:
    return json.dumps(values[name]) if name in values else "nothing"


def _named(plain: dict[str, object], of: Callable[[str], bool]) -> dict[str, object]:
    return {name: value for top in plain if of(top) for name, value in _flat(plain[top], top)}


def _flat(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Yields names and values of all leaves of a JSON value."""
    if isinstance(value, dict | list) and value:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from _flat(part, f"{name}.{key}")
    else:
        yield name, value


def _check_array(folder: Path, index: Path, key: str) -> Damage | None:
    """Checks a file without a lock first, and again with the write lock if something seems wrong."""
    with open_index(index) as connection:
        if _wrong(folder, connection, key) is None:
            return None
    with open_index(index, write=True) as connection:
        why = _wrong(folder, connection, key)
        if why is not None:
            connection.execute("UPDATE arrays SET sha256 = '' WHERE key = ?", (key,))
    return None if why is None else Damage(f"arrays/{key}.npz", why)


def _wrong(folder: Path, index: sqlite3.Connection, key: str) -> str | None:
    row = index.execute("SELECT bytes, sha256 FROM arrays WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None  # removed, or being written anew
    try:
        with array_path(folder, key).open("rb") as file:
            size, digest = file.seek(0, 2), ""
            if size == row[0]:
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        # One that nobody needs was about to be removed when its process was killed.
        needed = index.execute("SELECT 1 FROM needs WHERE array = ?", (key,)).fetchone()
        return "missing, although a saved scan needs it" if needed else None
    except OSError as error:
        return error.strerror or str(error)
    if size != row[0]:
        return f"{size} bytes instead of {row[0]}"
    return None if digest == row[1] else "its content is not what was written"


def _check_needed(folder: Path, index: Path, key: str) -> Damage | None:
    """Checks arrays that a saved scan needs but the index does not list; reading whole ones lists them."""
    with open_index(index, write=True) as connection:
        if connection.execute("SELECT 1 FROM arrays WHERE key = ?", (key,)).fetchone():
            return None
        with suppress(OSError):
            if arrays_in(array_path(folder, key).read_bytes()) is not None:
                return None
    return Damage(f"arrays/{key}.npz", "missing, although a saved scan needs it")


def _state(text: bytes) -> str:
    try:
        plain = json.loads(text)
    except ValueError:
        return "damaged"
    if not isinstance(plain, dict) or "schema_version" not in plain:
        return "damaged"
    try:
        ScanRecord.model_validate_json(text)
    except ValidationError:
        return "other"
    return "whole"
