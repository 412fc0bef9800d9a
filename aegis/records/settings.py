"""Describes the settings of a scan in words, and where two scans differ; from the records alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from aegis.core.text import printable
from aegis.records.presets import PRESETS, preset
from aegis.records.record import ScanRecord, config_record

OWN: Final = "own settings"
FOREIGN: Final = "another version"
KINDS = (*PRESETS, OWN, FOREIGN)
# Not chosen by the user: sizes are computed from the model's robustness, calibration comes with AEGIS.
AREA, RADIUS, NULLS = "gather.trigger_search.area", "gather.trigger_search.radius", "verdict.nulls"
REFERENCES = "verdict.references"
# Another seed does not make other settings.
SEEDS = ("gather.seed", "embed.seed")
NAMES = {
    "assess.images": "Images that robustness is measured on",
    "assess.epsilons": "Attacks that robustness is measured with (L2 radius)",
    "gather.seeds": "Images translated per class",
    "gather.stages": "Budgets of translation",
    "gather.components": "Principal components of the features",
    "gather.pooled": "Pooled features",
    "gather.seed": "Seed",
    "gather.trigger_search": "Search for triggers",
    "gather.trigger_search.held_out": "Held-out images per class",
    AREA: "Area of a patch (share of the image)",
    RADIUS: "L2 norm of a perturbation",
    "embed.method": "Embedding",
    "embed.perplexity": "Perplexity",
    "embed.seed": "Seed of the embedding",
    "judge.bandwidth": "Bandwidth of mean shift",
    "judge.quantile": "Quantile of distances for the bandwidth",
    "verdict.rule": "Verdict rule",
    "verdict.alpha": "Benign models flagged at most",
    "verdict.min_score": "Least score that flags",
    NULLS: "Calibration (scores of benign models)",
    REFERENCES: "References (benign models of the same data)",
}
NOTHING = {"gather.trigger_search": "none"}
MISSING: Final = object()
# Longer lists are shown as their length and a digest.
LISTED = 6


@dataclass(frozen=True)
class Line:
    """One setting that differs between two scans, in words; nothing in it is escaped.

    Args:
        name: of the setting.
        older, newer: its value in each scan.
    """

    name: str
    older: str
    newer: str


def all_settings(record: ScanRecord) -> tuple[tuple[str, str], ...]:
    """List the settings of a scan in words.

    Args:
        record: the scan.

    Returns:
        Names and values.
    """
    found = ((name, _at(record.config, path), path) for path, name in NAMES.items())
    return tuple((name, say(value, path)) for name, value, path in found if value is not MISSING)


def preset_of(record: ScanRecord) -> str:
    """Recognise the preset of a scan, whatever its seed, measured sizes and calibration.

    Args:
        record: the scan.

    Returns:
        One of ``KINDS``.
    """
    asked = _as_asked(record.config)
    for name in PRESETS:
        known = _preset(name, record.data.name, record.data.shape)
        if asked == known:
            return name
    return OWN if _paths(asked) == _paths(_preset("default", record.data.name, record.data.shape)) else FOREIGN


def say_settings(record: ScanRecord) -> str:
    """Says in words with which settings a scan was made.

    Args:
        record: the scan.

    Returns:
        Words such as *quick settings*.
    """
    kind = preset_of(record)
    return f"{kind} settings" if kind in PRESETS else kind if kind == OWN else f"settings of {kind}"


def different_settings(older: ScanRecord, newer: ScanRecord) -> tuple[Line, ...]:
    """List the settings that differ between two scans.

    Args:
        older, newer: the scans.

    Returns:
        A line for each.
    """
    return tuple(_different(older.config, newer.config, ""))


def same_settings(older: ScanRecord, newer: ScanRecord) -> bool:
    """Tell whether two scans have the same settings, whatever their seeds, measured sizes and calibration.

    Args:
        older, newer: the scans.

    Returns:
        True if they have.
    """
    return _as_asked(older.config) == _as_asked(newer.config)


def same_calibration(older: ScanRecord, newer: ScanRecord) -> bool:
    """Tell whether two scans compared scores with the same benign models.

    Args:
        older, newer: the scans.

    Returns:
        True if they did.
    """
    return all(_at(older.config, path) == _at(newer.config, path) for path in (NULLS, REFERENCES))


def different_surroundings(older: ScanRecord, newer: ScanRecord) -> tuple[Line, ...]:
    """List images, device, precision and versions that differ between two scans.

    Args:
        older, newer: the scans.

    Returns:
        A line for each.
    """
    pairs = [
        ("Images", older.data.name, newer.data.name),
        ("Digest of the images", older.data.digest[:16], newer.data.digest[:16]),
        ("Device", older.runtime.device, newer.runtime.device),
        ("Precision", older.runtime.precision, newer.runtime.precision),
    ]
    packages = dict.fromkeys([*older.versions, *newer.versions])
    pairs += [(f"Version of {p}", older.versions.get(p, "–"), newer.versions.get(p, "–")) for p in packages]  # noqa: RUF001 - nothing
    return tuple(Line(printable(name, 60), printable(a, 60), printable(b, 60)) for name, a, b in pairs if a != b)


@lru_cache(maxsize=64)
def _preset(name: str, data: str, shape: tuple[int, int, int]) -> dict[str, Any]:
    return _as_asked(config_record(preset(name, data, shape)))


def _as_asked(config: dict[str, Any]) -> dict[str, Any]:
    """Settings without what the user does not choose and without seeds; shared parts are copied."""
    plain = deepcopy(config)
    for path in (AREA, RADIUS, NULLS, REFERENCES, *SEEDS):
        room, _, name = path.rpartition(".")
        place = _at(plain, room)
        if isinstance(place, dict):
            place.pop(name, None)
    return plain


def _at(config: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    """What lies under a dotted name; ``MISSING`` where nothing does."""
    place: Any = config
    for name in path.split("."):
        place = place.get(name, MISSING) if isinstance(place, dict) else MISSING
    return place


def _paths(config: dict[str, Any]) -> set[str]:
    """Dotted names of the settings down to the second level, below which some may be left out."""
    return {f"{room}.{name}" for room, values in config.items() if isinstance(values, dict) for name in values}


def _different(older: Any, newer: Any, path: str) -> Iterator[Line]:  # noqa: ANN401 - JSON
    if isinstance(older, dict) and isinstance(newer, dict) and path != REFERENCES:
        for name in dict.fromkeys([*older, *newer]):
            below = f"{path}.{name}" if path else str(name)
            yield from _different(older.get(name, MISSING), newer.get(name, MISSING), below)
    elif older != newer:
        yield Line(_named(path), say(older, path), say(newer, path))


def _named(path: str) -> str:
    """Names a setting in words: by what it belongs to where it has no name of its own."""
    if path in NAMES:
        return NAMES[path]
    parent, _, own = path.rpartition(".")
    words = own.replace("_", " ")
    return printable(f"{_named(parent)}: {words}" if parent else words, 80)


def say(value: Any, path: str) -> str:  # noqa: ANN401 - JSON
    """Says the value of a setting in words; long lists as their length and a digest.

    Args:
        value: from a record's settings, or ``MISSING``.
        path: dotted name of the setting.

    Returns:
        The words; nothing in them is escaped.
    """
    if path in (NULLS, REFERENCES):
        return _say_models(value)
    if value is MISSING:
        return "not known"
    if value is None:
        return NOTHING.get(path, "computed")
    if path in NOTHING and isinstance(value, dict):
        return "yes"
    return printable(_plain(value), 200)


def _say_models(value: Any) -> str:  # noqa: ANN401 - JSON
    """Number of calibration or reference models, with a digest of what they show."""
    shown = value.get("models") if isinstance(value, dict) else value
    if not isinstance(shown, list) or not shown:
        return "none"
    count = max((len(one["maxima"]) for one in shown if isinstance(one, dict) and "maxima" in one), default=len(shown))
    return f"{count} models ({hashlib.sha256(repr(shown).encode()).hexdigest()[:6]})"


def _plain(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and len(value) > LISTED:
        return f"{len(value)} values ({hashlib.sha256(repr(value).encode()).hexdigest()[:6]})"
    if isinstance(value, list):
        return ("; " if any(isinstance(one, dict) for one in value) else ", ").join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return str(value)


def spent(record: ScanRecord) -> float:
    """Say how long a scan took on the clock; the times of its steps add up to more, since classes run side by side.

    Args:
        record: the scan.

    Returns:
        Seconds.
    """
    return sum(record.seconds.get(name, 0.0) for name in ("look", "rank", "assess", "classes"))
