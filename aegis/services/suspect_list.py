"""Reads which suspects are scanned together: the checkpoints of a folder, or a list in CSV or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aegis.core.errors import ConfigError
from aegis.core.runtime import MAX_SEED
from aegis.core.text import printable

# Names that checkpoints commonly have; what a file really is, its content says when it is read.
ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".tar", ".th")
MAX_BYTES, MAX_ROWS = 64 * 2**20, 100_000


class Listed(BaseModel):
    """One suspect of a list, with what is known of it; what is missing comes from the card or the command.

    Args:
        checkpoint: the file.
        architecture: as for ``--arch``.
        data: name, file or folder of images.
        preset: settings of the scan.
        seed: of the scan.
        mean, std: normalisation, numbers with commas between them.
        entry: which of several networks in the file.
        size, channels: to which images are converted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path
    architecture: str | None = None
    data: str | None = None
    preset: str | None = None
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    mean: str | None = None
    std: str | None = None
    entry: str | None = None
    size: int | None = Field(default=None, ge=1)
    channels: int | None = Field(default=None, ge=1)


def read_suspects(source: Path) -> tuple[list[Listed], int]:
    """Reads which suspects are meant.

    Args:
        source: a folder, whose checkpoints are found by their endings in all its sub-folders, or a file that ends in
            .csv or .jsonl, with a row a suspect; paths in it start from its own folder.

    Returns:
        The suspects, each once, and how many rows repeat an earlier one.

    Raises:
        ConfigError: if there is no such folder or file, it lists nothing, or a row is none.
    """
    if source.is_dir():
        rows = [Listed(checkpoint=path) for path in sorted(source.rglob("*")) if _is_checkpoint(path, source)]
        if not rows:
            raise ConfigError(
                f"checkpoints in {source}", f"no file that ends in {', '.join(ENDINGS)}", "Name another folder."
            )
    else:
        rows = [_from_folder(row, source.parent) for row in _rows(source)]
        if not rows:
            raise ConfigError(f"a suspect in each row of {source}", "no row", "Add rows.")
    once = list(dict.fromkeys(rows))
    return once, len(rows) - len(once)


def _is_checkpoint(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in ENDINGS and path.is_file()


def _from_folder(row: Listed, folder: Path) -> Listed:
    """Lets relative paths start from the folder of the list; a name of data that no file has stays a name."""
    beside = folder / row.data if row.data else None
    data = str(beside) if beside is not None and beside.exists() else row.data
    return row.model_copy(update={"checkpoint": folder / row.checkpoint, "data": data})


def _rows(path: Path) -> Iterator[Listed]:
    reader = {".csv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise ConfigError(
            "a folder, or a list that ends in .csv or .jsonl",
            f"{path}, " + ("which is neither" if path.exists() else "which does not exist"),
            "Name one; columns of a list: " + ", ".join(Listed.model_fields) + ".",
        )
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"a list of at most {MAX_BYTES // 2**20} MB", f"a larger one: {path}", "Divide it.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"text in UTF-8 in {path}", str(error), "Save it as UTF-8.") from error
    for count, (line, fields) in enumerate(reader(text, path), 1):
        if count > MAX_ROWS:
            raise ConfigError(f"at most {MAX_ROWS} suspects", f"more in {path}", "Divide the list.")
        yield _listed(fields, f"line {line} of {path}")


def _listed(fields: object, where: str) -> Listed:
    try:
        return Listed.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        got = f"{name}: {first['msg']}" if name else first["msg"]
        raise ConfigError(
            f"a suspect at {where}", got, "Correct it; known columns: " + ", ".join(Listed.model_fields) + "."
        ) from error


def _csv(text: str, path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        for row in reader:
            # An empty cell says nothing.
            yield reader.line_num, {(name or "").strip(): cell for name, cell in row.items() if cell not in ("", None)}
    except csv.Error as error:
        raise ConfigError(f"a table with commas in {path}", str(error), "Correct it.") from error


def _json_lines(text: str, path: Path) -> Iterable[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"JSON at line {number} of {path}", printable(line, 60), 'Write for example {"checkpoint": "a.pt"}.'
            ) from error
