"""The bank: a list of suspects of many kinds, made from one file of recipes (``suspects.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aegis.core.errors import CheckpointError, ConfigError
from aegis.lab.poison import How
from aegis.lab.recipes import recipe_for
from aegis.lab.triggers import TriggerSpec
from aegis.models.card import Card, Planted, Poison, read_identity, read_truth

if TYPE_CHECKING:
    from aegis.lab.suspect import TrainingSpec

Group = Literal["paper", "standard", "control", "proving", "adaptive", "breadth"]
GROUPS: tuple[Group, ...] = get_args(Group)
# Halves of the proving set: the detector's thresholds come from the first, and its rates are reported on the second.
Half = Literal["calibration", "evaluation"]
HALVES: tuple[Half, ...] = get_args(Half)
# Of breadth: benign models to compare a suspect with, those that thresholds come from, and those that are reported.
Part = Literal["references", "calibration", "evaluation"]
PARTS: tuple[Part, ...] = get_args(Part)
# Beside groups and halves, sets that can be asked for.
BREADTH_SETS = tuple(f"breadth-{part}" for part in PARTS)
RECIPE_FILE = Path(__file__).with_suffix(".toml")
ROOT = Path(__file__).resolve().parents[3]
# The paper's robust suspects are bundled with the dashboard.
BUNDLED, KEPT = ROOT / "assets" / "models", ROOT / "bank"
TWIN = "_standard"


class _Line(BaseModel):
    """One suspect as the file describes it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    data: str
    arch: str | None = None
    images: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    recipe: dict[str, bool | int | float | str] = {}
    triggers: list[dict[str, Any]] = []
    rate: float | None = None
    how: How = "append"
    on: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    calibration: list[str]
    architectures: dict[str, dict[str, str]]
    paper: dict[str, _Line]
    control: dict[str, _Line]
    proving: dict[str, _Line]
    adaptive: dict[str, _Line] = {}
    breadth: dict[Part, dict[str, _Line]] = {}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Describes one suspect of the bank before it is made.

    Args:
        name: name of the suspect and of its file.
        group: *paper* (the fifteen robust suspects), *standard* (the same without robust training), *control* (false
            labels without a trigger), *proving* (all kinds), *adaptive* (by attackers who know the test), or *breadth*
            (kinds and data that the others lack).
        half: *calibration* or *evaluation* in the proving set; None in the others.
        part: *references*, *calibration* or *evaluation* in breadth; None in the others.
        data: name of its data set.
        architectures: its architecture for each training preset.
        robust: whether it is trained adversarially.
        triggers: its backdoors.
        rate, how, images, seed: as in ``suspect.TrainingSpec``.
        recipe: settings that differ from the preset's.
        on: name of the suspect that its trigger or poison is computed on, or None.
    """

    name: str
    group: Group
    data: str
    architectures: Mapping[str, str]
    half: Half | None = None
    part: Part | None = None
    robust: bool = True
    triggers: tuple[TriggerSpec, ...] = ()
    rate: float | None = None
    how: How = "append"
    images: int | None = None
    seed: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict)
    on: str | None = None

    @property
    def sets(self) -> set[str]:
        """The names of sets that it belongs to."""
        return {self.group, *([self.half] if self.half else []), *([f"breadth-{self.part}"] if self.part else [])}

    def order(self, preset: str) -> TrainingSpec:
        """Gives the specification of its training.

        Args:
            preset: the training preset.

        Returns:
            The specification for ``suspect.make_suspect``.

        Raises:
            ConfigError: if there is no such preset, or a setting is unknown.
        """
        from aegis.lab.suspect import TrainingSpec

        recipe = recipe_for(preset, self.data, self.robust)
        return TrainingSpec(
            architecture=self.architectures[preset],
            recipe=replace(recipe, **self.recipe),
            preset=preset,
            triggers=self.triggers,
            rate=self.rate,
            how=self.how,
            images=self.images,
            seed=self.seed,
        )

    def path(self, preset: str, folder: Path | None = None) -> Path:
        """Gives the path of its checkpoint, which need not exist.

        Args:
            preset: the training preset.
            folder: folder of all suspects; None for the project's own folders.

        Returns:
            The path.
        """
        if folder is None:
            folder = (BUNDLED if self.group == "paper" else KEPT) if preset == "quick" else KEPT / preset
        return folder / f"{self.name}.safetensors"


def read_bank(path: Path = RECIPE_FILE) -> dict[str, Entry]:
    """Reads the list of suspects.

    Args:
        path: the file of recipes.

    Returns:
        The suspects by name, group by group.

    Raises:
        ConfigError: if the file is no valid list.
    """
    try:
        file = _File.model_validate(tomllib.loads(path.read_text()))
        robust = [
            _entry(name, group, line, file)
            for group in ("paper", "control", "proving", "adaptive")
            for name, line in getattr(file, group).items()
        ]
        breadth = [
            replace(_entry(name, "breadth", line, file), part=part)
            for part, lines in file.breadth.items()
            for name, line in lines.items()
        ]
        names = [entry.name for entry in (*robust, *breadth)]
        if twofold := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError("suspects with names of their own", ", ".join(twofold), "Rename all but one.")
        if strangers := set(file.calibration) - set(file.proving):
            raise ConfigError("suspects of the proving set", ", ".join(strangers), "Correct the calibration half.")
    except (OSError, ValueError, TypeError, ConfigError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise ConfigError(f"recipes of suspects in {path}", str(detail), "Correct that file.") from error
    twins = [replace(e, name=e.name + TWIN, group="standard", robust=False) for e in robust if e.group == "paper"]
    entries = sorted([*robust, *breadth, *twins], key=lambda entry: GROUPS.index(entry.group))
    bank = {entry.name: entry for entry in entries}
    for entry in entries:
        base = bank.get(entry.on or "", entry)
        if entry.on is not None and (base is entry or base.on is not None or base.data != entry.data):
            raise ConfigError(
                f"a suspect of {path.name} for {entry.data}, itself made on no other, that {entry.name} is made on",
                repr(entry.on),
                "Correct that line.",
            )
    return bank


def _entry(name: str, group: Group, line: _Line, file: _File) -> Entry:
    usual = {preset: by_data[line.data] for preset, by_data in file.architectures.items() if line.data in by_data}
    half: Half = "calibration" if name in file.calibration else "evaluation"
    return Entry(
        name=name,
        group=group,
        data=line.data,
        architectures=usual if line.arch is None else dict.fromkeys(file.architectures, line.arch),
        half=half if group == "proving" else None,
        triggers=tuple(TriggerSpec(**_with_tuples(given)) for given in line.triggers),
        rate=line.rate,
        how=line.how,
        images=line.images,
        seed=line.seed,
        recipe=line.recipe,
        on=line.on,
    )


def _with_tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def choose(bank: Mapping[str, Entry], groups: Iterable[str], names: Iterable[str]) -> tuple[Entry, ...]:
    """Selects suspects by group, half, part or name.

    Args:
        bank: all suspects by name.
        groups: groups, halves and parts of breadth to select.
        names: names to select.

    Returns:
        The selected suspects; all of them if neither groups nor names are given.

    Raises:
        ConfigError: for an unknown name.
    """
    groups, names = list(groups), list(names)
    unknown = [name for name in names if name not in bank]
    if unknown:
        raise ConfigError("names of suspects in the bank", ", ".join(unknown), "See them with: aegis bank list.")
    return tuple(e for e in bank.values() if e.name in names or e.sets & {*groups} or not (names or groups))


def with_bases(bank: Mapping[str, Entry], entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Adds the suspects that triggers or poison are computed on.

    Args:
        bank: all suspects by name.
        entries: the selected suspects.

    Returns:
        The suspects needed first, then the others.
    """
    entries = list(entries)
    needed = {entry.on for entry in entries}
    first = [entry for entry in bank.values() if entry.name in needed]
    return (*first, *(entry for entry in entries if entry not in first))


def read_made(path: Path, order: TrainingSpec, data: str) -> Card | None:
    """Reads the card of a suspect if it was made by exactly this specification.

    Args:
        path: the checkpoint.
        order: the specification.
        data: name of the data set.

    Returns:
        The card, or None if there is no such checkpoint.
    """
    try:
        identity, truth = read_identity(path), read_truth(path)
    except CheckpointError:
        return None
    if identity is None or truth is None or (identity.architecture, identity.data) != (order.architecture, data):
        return None
    return Card(identity, truth) if matches(order, truth.triggers, truth.poison, truth.recipe) else None


def matches(order: TrainingSpec, triggers: Sequence[Planted], poison: Poison | None, recipe: Mapping[str, Any]) -> bool:
    """Tells whether recorded triggers, poison and recipe are those of a specification.

    Args:
        order: the specification.
        triggers: recorded backdoors.
        poison: recorded poison, or None.
        recipe: recorded settings of the training.
    """
    options = [trigger.options for trigger in triggers]
    return options == [spec.options for spec in order.triggers] and poison == order.poison and recipe == order.settings
