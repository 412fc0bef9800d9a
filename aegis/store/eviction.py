"""The size of the store, and which files are removed when it exceeds its limit."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aegis.core.errors import ConfigError
from aegis.core.files import left_behind
from aegis.store.tasks import living

VARIABLE = "AEGIS_STORE_LIMIT"
DEFAULT_LIMIT = "20 GB"
# Bytes of free disk below which nothing can be kept.
FULL = 100_000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(I?)B?|B)?", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def size_limit() -> int | None:
    """Reads the limit of the store from ``AEGIS_STORE_LIMIT``, by default 20 GB.

    Returns:
        Bytes, or None for no limit.

    Raises:
        ConfigError: if the variable is no size.
    """
    return parse_limit(os.environ.get(VARIABLE) or DEFAULT_LIMIT, VARIABLE)


def parse_limit(text: str, name: str) -> int | None:
    """Reads a size such as ``2 GB`` or ``500 MiB``.

    Args:
        text: the size, with decimal or binary units; bytes without one.
        name: of the option or variable, for the message.

    Returns:
        Bytes, or None for 0, which means no limit.

    Raises:
        ConfigError: if it is no size, or less than a byte and not 0.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"a size for {name}", repr(text), "Write for example 2 GB, or 0 for no limit.")
    number, letter, binary = found.groups()
    factor = (1024 if binary else 1000) ** _POWERS.get((letter or "").upper(), 0)
    size = round(float(number) * factor)
    if size == 0 and float(number) > 0:
        # Rounded to 0, less than any file would become no limit at all.
        raise ConfigError(f"a size for {name}", f"{text!r}, which is less than a byte", "Write 0 for no limit.")
    return size or None


def say_size(size: int) -> str:
    """Writes a size with three digits and a decimal unit.

    Returns:
        For example ``1.55 MB``.
    """
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def is_full(folder: Path) -> bool:
    """Tells whether the disk is full; sqlite may report that as an I/O error.

    Returns:
        True if less than ``FULL`` bytes are free.
    """
    try:
        return shutil.disk_usage(folder).free < FULL
    except OSError:
        return False


@dataclass(frozen=True)
class Array:
    """A file of arrays.

    Args:
        key: names the file.
        bytes: its size.
    """

    key: str
    bytes: int


@dataclass(frozen=True)
class Plan:
    """Files that a store can lose.

    Args:
        arrays: the least recently used ones beyond the limit, without those that a saved scan needs or a task uses.
        orphans: temporary files of killed processes, and array files that the index does not list.
        missing: keys in the index whose file is missing.
        total: bytes of all arrays before.
        needed: bytes of the arrays that saved scans need or tasks use.
        limit: bytes that the store may take, or None.
    """

    arrays: tuple[Array, ...]
    orphans: tuple[Path, ...]
    missing: tuple[str, ...]
    total: int
    needed: int
    limit: int | None

    def files(self, folder: Path) -> list[Path]:
        """Lists the files that may be removed."""
        return [*(array_path(folder, array.key) for array in self.arrays), *self.orphans]

    @property
    def freed(self) -> int:
        """Bytes of the arrays that may go."""
        return sum(array.bytes for array in self.arrays)

    @property
    def kept(self) -> int:
        """Bytes of the arrays that stay."""
        return self.total - self.freed

    @property
    def excess(self) -> int:
        """Bytes that exceed the limit even then, since saved scans need them."""
        return 0 if self.limit is None else max(0, self.kept - self.limit)


def plan(index: sqlite3.Connection, folder: Path, limit: int | None) -> Plan:
    """Lists the files that a store can lose.

    Args:
        index: open connection; it must hold the write lock if the caller removes the files, so that no task claims one
            meanwhile.
        folder: of the store.
        limit: bytes that arrays may take, or None.
    """
    files = {path.stem: path for path in (folder / "arrays").glob("*.npz")}
    held = _held(index)
    rows = _rows(index)
    lost = tuple(array.key for array in rows if array.key not in files)
    there = [array for array in rows if array.key in files]
    known = {array.key for array in rows} | held
    strays = [path for key, path in files.items() if key not in known]
    temporary = [path for room in ("arrays", "data") for path in left_behind(folder / room)]
    needed = sum(array.bytes for array in there if array.key in held)
    total = sum(array.bytes for array in there)
    return Plan(_victims(there, held, total, limit), (*sorted(strays), *temporary), lost, total, needed, limit)


def evict(index: sqlite3.Connection, folder: Path, limit: int | None) -> None:
    """Removes the least recently used arrays until the rest is within the limit.

    Arrays that saved scans need or running tasks use stay.

    Args:
        index: open for writing.
        folder: of the store.
        limit: bytes that arrays may take, or None.
    """
    (total,) = index.execute("SELECT COALESCE(SUM(bytes), 0) FROM arrays").fetchone()
    if limit is not None and total > limit:
        remove(index, folder, (array.key for array in _victims(_rows(index), _held(index), total, limit)))


def remove(index: sqlite3.Connection, folder: Path, keys: Iterable[str]) -> None:
    """Removes arrays from the index and from the disk."""
    for key in keys:
        index.execute("DELETE FROM arrays WHERE key = ?", (key,))
        # Before the transaction commits, so that whoever claims the key afterwards finds neither row nor file.
        array_path(folder, key).unlink(missing_ok=True)


def array_path(folder: Path, key: str) -> Path:
    """Names the file that holds the arrays of a key."""
    return folder / "arrays" / f"{key}.npz"


def only_needed_by(index: sqlite3.Connection, scan: str) -> list[Array]:
    """Lists arrays that a saved scan needs, but no other scan and no running task."""
    mine = {key for (key,) in index.execute("SELECT array FROM needs WHERE scan = ?", (scan,))}
    others = {key for (key,) in index.execute("SELECT array FROM needs WHERE scan != ?", (scan,))} | _used(index)
    return [array for array in _rows(index) if array.key in mine - others]


def _victims(arrays: list[Array], held: set[str], total: int, limit: int | None) -> tuple[Array, ...]:
    found = []
    for array in arrays:
        if limit is None or total <= limit:
            break
        if array.key not in held:
            found.append(array)
            total -= array.bytes
    return tuple(found)


def _rows(index: sqlite3.Connection) -> list[Array]:
    """Reads all arrays, by longest without use."""
    return [Array(*row) for row in index.execute("SELECT key, bytes FROM arrays ORDER BY used, key")]


def _held(index: sqlite3.Connection) -> set[str]:
    """Reads the keys of what saved scans need and tasks use."""
    return {key for (key,) in index.execute("SELECT DISTINCT array FROM needs")} | _used(index)


def _used(index: sqlite3.Connection) -> set[str]:
    ids = living(index)
    return {key for key, work in index.execute("SELECT array, work FROM uses") if work in ids}
