"""Field names of schema 1, for reading old records and for naming stored results.

Keys of stored results are made of settings as schema 1 called them, so that what is stored is found whatever the
settings are called today.
"""

from __future__ import annotations

import json
from typing import Any, Final

from aegis.records.config import (
    GatherConfig,
    JudgeConfig,
    ScanConfig,
    TriggerSearchConfig,
    VerdictConfig,
    plain_settings,
)

# Fields of a record in schema 1 by their path, lists left out, and the name of each today.
RENAMED: Final = {
    "suspected_classes": "flagged_classes",
    "classes.suspicious": "flagged",
    "classes.chance": "p_value",
    "classes.transplants": "triggers",
    "model.spared_radii": "half_radii_excluding_target",
    "control.chance": "p_value",
    "config.gather.transplant": "trigger_search",
    "config.gather.transplant.patch_reach": "area_fraction",
    "config.gather.transplant.reach": "norm_fraction",
    "config.gather.transplant.alone": "source_specific_share",
    "config.gather.transplant.wide": "initial_area",
    "config.gather.transplant.survey": "screening_batch",
    "config.gather.transplant.source_survey": "source_screening_batch",
    "config.gather.transplant.keep": "top_k",
    "config.gather.transplant.finish": "refine_steps",
    "config.gather.transplant.pruned": "minimised_share",
    "config.gather.transplant.pruned_on": "minimised_on",
    "config.verdict.share": "source_quantile",
    "config.verdict.false_positives": "alpha",
    "config.verdict.least": "min_score",
}
# Families of triggers in schema 1, and today.
FAMILIES: Final = {"one source": "source-specific", "all to all": "all-to-all"}
FAMILY_FIELDS: Final = {"classes.transplants.family", "config.verdict.nulls.family"}

_OLD_FAMILIES = {today: old for old, today in FAMILIES.items()}
# The old name of a field by the old path of its parent and its name today.
_OLD_NAMES = {(old.rpartition(".")[0], today): old.rpartition(".")[2] for old, today in RENAMED.items()}
# Path of each part's settings in a record.
_PLACES: dict[type, str] = {
    ScanConfig: "config",
    GatherConfig: "config.gather",
    TriggerSearchConfig: "config.gather.transplant",
    JudgeConfig: "config.judge",
    VerdictConfig: "config.verdict",
}


def from_schema1(plain: object) -> object:
    """Rename the fields of a record of schema 1 to today's names.

    Args:
        plain: the record as JSON gives it; fields that schema 1 does not know stay as they are.

    Returns:
        The same values under today's names.
    """
    return _today(plain, "")


def family_of(name: str) -> str:
    """Translate the name of a family of triggers from schema 1.

    Args:
        name: in schema 1 or today.

    Returns:
        Its name today.
    """
    return FAMILIES.get(name, name)


def in_schema1(settings: object) -> object:
    """Convert settings to plain values under the names of schema 1.

    Args:
        settings: a dataclass of settings, or a part of one; any other dataclass keeps its names.

    Returns:
        The values.
    """
    plain = plain_settings(settings)
    place = _PLACES.get(type(settings))
    return plain if place is None else _before(plain, place)


def plain_in_schema1(config: ScanConfig) -> dict[str, Any]:
    """Convert the settings of a scan to values under the names of schema 1, as they come back from JSON.

    Args:
        config: the settings.

    Returns:
        Values by name.
    """
    plain: dict[str, Any] = json.loads(json.dumps(in_schema1(config)))
    return plain


def _today(value: object, path: str) -> object:
    if isinstance(value, list | tuple):
        return [_today(one, path) for one in value]
    if isinstance(value, dict):
        below: dict[str, Any] = {}
        for name, part in value.items():
            old = f"{path}.{name}" if path else str(name)
            below[RENAMED.get(old, str(name))] = _today(part, old)
        return below
    return FAMILIES.get(value, value) if path in FAMILY_FIELDS and isinstance(value, str) else value


def _before(value: object, path: str) -> object:
    if isinstance(value, list | tuple):
        return [_before(one, path) for one in value]
    if isinstance(value, dict):
        old = {name: _OLD_NAMES.get((path, name), name) for name in value}
        return {old[name]: _before(part, f"{path}.{old[name]}") for name, part in value.items()}
    return _OLD_FAMILIES.get(value, value) if path in FAMILY_FIELDS and isinstance(value, str) else value
