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
from aegis.models.release import digest_beside
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig, ScanConfig
from aegis.records.schema1 import in_schema1

if TYPE_CHECKING:
    from aegis.models.load import Suspect


# Files that the steps before the costly ones depend on.
EARLY_CODE = ("detect/early.py", "detect/screen.py")


def key_of(*parts: object, code: str | None = None) -> str:
    """Computes the SHA-256 of plain values, settings and the source that a result depends on.

    Args:
        parts: values that JSON knows, tuples and dataclasses of them.
        code: digest of the source; None for that of whole scans.
    """
    plain = [in_schema1(p) if dataclasses.is_dataclass(p) and not isinstance(p, type) else p for p in parts]
    # 3 and 3.0 are one setting, and one that was read from a record is a float.
    same = json.loads(json.dumps([code or code_digest(), *plain]), parse_int=_number)
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def model_part(
    checkpoint: Path,
    suspect: Suspect | None,
    architecture: str | None,
    mean: str | None,
    std: str | None,
    entry: str | None = None,
) -> object:
    """Gives the part of a scan's key that identifies the model.

    Args:
        checkpoint: its file, read only if no model was loaded.
        suspect: the model loaded from it, or None.
        architecture: as the user gave it. It may name the user's own code, which can change while the file stays the
            same, so the loaded model's own digest counts then.
        mean, std: normalisation as the user gave it.
        entry: which of several networks in the file the user named; the loaded model's digest counts then, too.

    Returns:
        A value for ``scan_key``.

    Raises:
        CheckpointError: if the file cannot be read.
    """
    if suspect is not None and (architecture, entry) != (None, None):
        return suspect.digest
    said = digest_beside(checkpoint)
    which = (file_digest(checkpoint) if suspect is None else suspect.sha256, mean, std)
    return which if said is None else (*which, said)


def scan_key(
    file: str,
    model: object,
    images: Dataset,
    config: ScanConfig,
    labels: tuple[int, ...] | None,
    device: str,
    precision: str,
) -> str:
    """Computes the key of a whole scan, without torch.

    Args:
        file: the checkpoint's name, which is part of the record.
        model: identifies the model, from ``model_part``.
        images: the data set of the scan.
        config: settings as the user gave them.
        labels: the classes asked for, or None for all.
        device, precision: as the user gave them, since ``auto`` is resolved only with torch.
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
        """Computes the key of accuracy and robustness."""
        return self._key("assess", self._on, config)

    def gather(self, label: int, config: GatherConfig) -> str:
        """Computes the key of the evidence of a class."""
        return self._key("gather", self._on, label, config)

    def look(self, config: AssessConfig) -> str:
        """Computes the key of accuracy and robustness on few images."""
        return self._early("look", config)

    def screen(self) -> str:
        """Computes the key of the ranking of many classes."""
        return self._early("screen")

    def embed(self, evidence: Evidence, config: EmbedConfig) -> str:
        """Computes the key of the embeddings of a class, which depend on its evidence alone."""
        return self._key("embed", digest_of(evidence.features), len(evidence.train_index), config)

    @property
    def _on(self) -> tuple[str, ...]:
        return self.suspect, self.images, self.device, self.precision

    def _early(self, name: str, *parts: object) -> str:
        # Two digests, so that what leaves the steps' one as it is leaves these results valid as well.
        return self._key(name, self._on, *parts, code_digest(EARLY_CODE))

    def _key(self, *parts: object) -> str:
        return key_of(*parts, code=self.code or code_digest(STEPS_CODE))


def _number(digits: str) -> float | str:
    exact = abs(int(digits)) < 2**53
    return float(digits) if exact else digits
