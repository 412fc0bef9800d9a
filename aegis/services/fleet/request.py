"""The scan of one suspect of a fleet, as JSON that any node can read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aegis.core import parsing
from aegis.core.errors import AegisError
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.models.release import weights_of
from aegis.records.presets import adjusted, preset
from aegis.services.image_source import source_of
from aegis.services.references import with_references
from aegis.services.scan import ScanRequest
from aegis.services.suspect_list import Listed


@dataclass(frozen=True, kw_only=True)
class FleetScan:
    """The scan of one suspect.

    Args:
        suspect: as it was listed.
        data: images of suspects that neither list nor card names; None for none.
        preset: of suspects for which the list names none.
        seed: the same.
        device, precision: as in ``choose_runtime``.
        references: as in ``with_references``.
    """

    suspect: Listed
    data: str | None = None
    preset: str = "default"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    references: str = "auto"

    def to_json(self) -> str:
        """Writes it as text for ``from_json``."""
        return json.dumps(asdict(self) | {"suspect": self.suspect.model_dump(mode="json", exclude_none=True)})

    @classmethod
    def from_json(cls, text: str) -> FleetScan:
        """Reads what ``to_json`` wrote.

        Raises:
            ValueError, TypeError: if it is something else.
        """
        plain: dict[str, Any] = json.loads(text)
        return cls(**plain | {"suspect": Listed.model_validate(plain["suspect"])})

    @property
    def size(self) -> int:
        """Bytes of the checkpoint; 0 if it cannot be read."""
        try:
            return weights_of(self.suspect.checkpoint).stat().st_size
        except (AegisError, OSError, ValueError):
            return 0

    def files(self) -> list[str]:
        """Lists the files and folders that it needs and that are here, which a node must have as well."""
        named = [str(self.suspect.checkpoint), *filter(None, [self.suspect.data or self.data])]
        return [name for name in named if Path(name).exists()]

    def request(self) -> ScanRequest:
        """Makes the request; images are read, the checkpoint is not.

        Raises:
            AegisError: if images or settings cannot be used.
        """
        one, checkpoint = self.suspect, weights_of(self.suspect.checkpoint)
        images = _images(source_of(checkpoint, one.data or self.data), one.size, one.channels)
        seed = self.seed if one.seed is None else one.seed
        config = adjusted(preset(one.preset or self.preset, images.name, images.shape), seed=seed)

        def load() -> Any:  # noqa: ANN401 - its type would need torch
            from aegis.models.load import load_checkpoint

            return load_checkpoint(
                checkpoint,
                architecture=one.architecture,
                shape=images.shape,
                class_names=images.class_names,
                mean=_numbers(one.mean),
                std=_numbers(one.std),
                entry=one.entry,
                images=images.test,
            )

        return ScanRequest(
            file=checkpoint.name,
            checkpoint=checkpoint,
            load=load,
            images=images,
            config=with_references(config, images, self.references),
            architecture=one.architecture,
            mean=one.mean,
            std=one.std,
            entry=one.entry,
            device=self.device,
            precision=self.precision,
            workers=1,
        )


def _numbers(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else parsing.numbers(text, "comma-separated numbers for mean and std", "0.5,0.25")


@lru_cache(maxsize=2)
def _images(source: str, size: int | None, channels: int | None) -> Dataset:
    return load_dataset(source, size=size, channels=channels)
