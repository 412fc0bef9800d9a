"""Reads and writes references, and finds those that come with AEGIS."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from aegis.core.errors import ConfigError, StoreError
from aegis.core.files import write_text
from aegis.records.null_distribution import calibrated
from aegis.records.references import References

# Tables that come with AEGIS, one for each data set whose sample is bundled.
SHIPPED = Path(__file__).with_name("reference_tables")
# From so many reference models on, what each class and pair may show is known well enough to be judged more finely.
MANY = 8


def write_references(references: References, path: Path) -> None:
    """Writes references without their nulls, which belong to the version that reads them.

    Args:
        references: the references.
        path: the file.

    Raises:
        StoreError: if it cannot be written.
    """
    plain = asdict(references)
    del plain["nulls"], plain["levels"]
    write_text(path, json.dumps(plain) + "\n")


def read_references(path: Path) -> References:
    """Reads a file that ``write_references`` wrote.

    Args:
        path: the file.

    Returns:
        The references, judged by the nulls of this version.

    Raises:
        StoreError: if the file is missing, damaged or of another version.
    """
    try:
        found = TypeAdapter(References).validate_json(path.read_bytes())
        if not found.models:
            raise ConfigError("at least 1 reference model", "none", "Make some.")
        return replace(found, nulls=calibrated("many" if len(found.models) >= MANY else "few"))
    except (OSError, ValidationError, ConfigError) as error:
        got = str(error.strerror) if isinstance(error, OSError) else "other content"
        raise StoreError(f"references at {path}", got, "Make them anew: aegis reference DATA.") from error


@cache
def _shipped() -> tuple[References, ...]:
    return tuple(read_references(path) for path in sorted(SHIPPED.glob("*.json")))


def shipped_references(digest: str) -> References | None:
    """Finds references that come with AEGIS.

    Args:
        digest: of the images, in hex.

    Returns:
        The references; None if AEGIS has none of these images.
    """
    return next((one for one in _shipped() if digest in one.images), None)


def known_digests() -> dict[str, tuple[str, ...]]:
    """Lists the images that references come with AEGIS for.

    Returns:
        Digests by name of the data set.
    """
    return {path.stem: read_references(path).images for path in sorted(SHIPPED.glob("*.json"))}
