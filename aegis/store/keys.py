"""Keys: the SHA-256 of everything a result depends on, so that what was computed is found again by content.

That is the model's and the data's digests, the class, the step's own settings, device and precision, and the source.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.core.source import STEPS_CODE, code_digest
from aegis.core.types import Dataset, Evidence, digest_of
from aegis.models.intake.formats import file_digest
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig, ScanConfig

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def key_of(*parts: object, code: str | None = None) -> str:
    """SHA-256 over plain values, settings and the source that the result depends on, in hex.

    Args:
        parts: values that JSON knows, tuples and dataclasses of them.
        code: digest of the source; that of whole scans without it.
    """
    plain = [dataclasses.asdict(p) if dataclasses.is_dataclass(p) and not isinstance(p, type) else p for p in parts]
    # 3 and 3.0 are one setting, and one that was read from a record is a float.
    same = json.loads(json.dumps([code or code_digest(), *plain]), parse_int=_number)
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def model_part(
    checkpoint: Path, suspect: Suspect | None, architecture: str | None, mean: str | None, std: str | None
) -> object:
    """The part of a scan's key that tells the model from others.

    Args:
        checkpoint: its file, which is read where no model was loaded.
        suspect: the model that was loaded from it, or None.
        architecture: as it was asked for; it may be code that has changed, so then only the model itself can tell.
        mean, std: normalisation as it was asked for.

    Raises:
        CheckpointError: if the file cannot be read.
    """
    if suspect is None:
        return file_digest(checkpoint), mean, std
    return (suspect.sha256, mean, std) if architecture is None else suspect.digest


def scan_key(
    file: str,
    model: object,
    images: Dataset,
    config: ScanConfig,
    labels: tuple[int, ...] | None,
    device: str,
    precision: str,
) -> str:
    """The key of a whole scan, so that whoever asks for the same one finds it, torch or no torch.

    Args:
        file: the checkpoint's name, which is part of the record.
        model: what tells the model, from ``model_part``.
        images: what it is scanned with.
        config: settings as they were asked for.
        labels: the classes asked for, or None for all.
        device, precision: as they were asked for, since ``auto`` is only resolved where torch is at hand.
    """
    return key_of("scan", file, model, images.name, images.digest, config, labels, device, precision)


@dataclass(frozen=True)
class StepKeys:
    """The keys of the costly steps of one scan.

    Args:
        suspect: digest of the model; its file's alone would confuse one file read as two architectures.
        images: digest of the data set.
        device, precision: that were computed with.
        code: digest of the source of these steps; without it, of what runs now.
    """

    suspect: str
    images: str
    device: str
    precision: str
    code: str = ""

    def assess(self, config: AssessConfig) -> str:
        """Of accuracy and robustness."""
        return self._key("assess", self._on, config)

    def gather(self, label: int, config: GatherConfig) -> str:
        """Of a class's evidence."""
        return self._key("gather", self._on, label, config)

    def embed(self, evidence: Evidence, config: EmbedConfig) -> str:
        """Of the planes of a class, which hang on its evidence alone."""
        return self._key("embed", digest_of(evidence.features), len(evidence.train_index), config)

    @property
    def _on(self) -> tuple[str, ...]:
        return self.suspect, self.images, self.device, self.precision

    def _key(self, *parts: object) -> str:
        return key_of(*parts, code=self.code or code_digest(STEPS_CODE))


def _number(digits: str) -> float | str:
    exact = abs(int(digits)) < 2**53
    return float(digits) if exact else digits
