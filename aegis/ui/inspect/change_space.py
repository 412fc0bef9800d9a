"""One class in the space of changes: what translation did to each image. Ours, and no part of the paper or the verdict.

It is computed on request from what the scan kept, so that scans take no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import Float32

from aegis.core.runtime import Runtime
from aegis.core.types import Dataset, Finding, as_pixels
from aegis.detect.changes import coherence, flattened
from aegis.detect.cluster import judge
from aegis.records.config import EmbedConfig, ScanConfig
from aegis.records.record import ScanRecord, config_of
from aegis.store.cached_steps import stored
from aegis.store.store import Store
from aegis.ui.scans import find_finding, identity


@dataclass(frozen=True)
class Likeness:
    """How alike the changes into one class are, beside the other classes of its scan.

    Args:
        own: coherence of the class, in [-1, 1].
        others: that of every other class that is still stored.
    """

    own: float
    others: tuple[float, ...]

    def say(self, is_patch: bool) -> str:
        """Writes the number with its place among the classes.

        Args:
            is_patch: whether the class was flagged for a patch, which hardly shows in this number.
        """
        said = self._placed
        return f"{said} A patch like the one found hardly shows in it." if is_patch else said

    @property
    def _placed(self) -> str:
        said = f"**Coherence of the changes: {self.own:.2f}**"
        if not self.others:
            return f"{said}."
        low, high = min(self.others), max(self.others)
        span = f"{low:.2f} to {high:.2f}" if len(self.others) > 1 else f"{low:.2f}"
        rank = 1 + sum(other > self.own for other in self.others)
        place = "the highest" if rank == 1 else f"rank {rank}"
        return f"{said}, {place} of {len(self.others) + 1} classes (others: {span})."


def in_change_space(record: ScanRecord, finding: Finding, data: Dataset, budget: int, config: EmbedConfig) -> Finding:
    """Embeds and clusters the changes of translated images, without the class's own training images.

    Args:
        record: the scan, with the settings that the finding is of.
        finding: the class.
        data: the images of the scan.
        budget: position of the budget in the finding.
        config: settings of the embedding.

    Returns:
        The evidence of this budget alone, with the changes for features, and their clusters.
    """
    where = (str(Store().folder), identity(record), finding.label, budget)
    return _in_change_space(*where, config, record, finding, data)


@st.cache_resource(max_entries=12, show_spinner="Drawing the changes in the plane")
def _in_change_space(
    folder: str,
    identity: str,
    label: int,
    budget: int,
    config: EmbedConfig,
    _record: ScanRecord,
    _finding: Finding,
    _data: Dataset,
) -> Finding:
    import torch

    from aegis.detect.features import principal_components
    from aegis.detect.scan import STEPS

    whole: ScanConfig = config_of(_record)
    evidence, this = _finding.evidence, slice(budget, budget + 1)
    changes = torch.from_numpy(flattened(changes_of(_finding, _data, budget)))
    scores = principal_components(changes, whole.gather.components)
    alone = replace(
        evidence,
        budgets=evidence.budgets[this],
        train_index=evidence.train_index[:0],
        translated=evidence.translated[this],
        features=scores[None],
        success=evidence.success[this],
    )
    # There are fewer points than in the paper's space, which may be too few for the scan's perplexity.
    config = replace(config, perplexity=min(config.perplexity, max(2.0, (len(evidence.seed_index) - 1) / 3)))
    runtime = Runtime(device=_record.runtime.device, precision=_record.runtime.precision)
    steps = stored(STEPS, Store(Path(folder)), _record.model.digest, _record.data.digest, runtime)
    return judge(alone, steps.embed(alone, config), replace(whole.judge, bandwidth=None))


def changes_of(finding: Finding, data: Dataset, budget: int) -> Float32[np.ndarray, "n c h w"]:
    """Computes the change of every translated image.

    Args:
        finding: the class.
        data: the images of the scan.
        budget: position of the budget in the finding.

    Returns:
        Changes of pixels, in [-1, 1], shape (n, c, h, w).
    """
    changes: np.ndarray = (
        as_pixels(finding.evidence.translated[budget]) - data.train.pixels[finding.evidence.seed_index]
    )
    return changes


def likeness(record: ScanRecord, finding: Finding, data: Dataset, budget: int) -> Likeness:
    """Compares the changes of a class with those of the other classes of a scan.

    Args:
        record: the scan.
        finding: the class, at one of the scan's budgets or at another.
        data: the images of the scan.
        budget: position of the budget in the finding.

    Returns:
        The coherences; none of other classes at a budget that the scan did not use.
    """
    radius = finding.evidence.budgets[budget]
    every = _coherences(str(Store().folder), identity(record), radius, record, data)
    own = every.get(finding.label)
    if own is None:
        own = coherence(flattened(changes_of(finding, data, budget)))
    return Likeness(own, tuple(value for label, value in every.items() if label != finding.label))


@st.cache_data(max_entries=64, show_spinner="Comparing the changes of all classes")
def _coherences(folder: str, identity: str, radius: float, _record: ScanRecord, _data: Dataset) -> dict[int, float]:
    found = {}
    for entry in _record.classes:
        finding = find_finding(_record, entry.label)
        if finding is not None and radius in finding.evidence.budgets:
            changes = changes_of(finding, _data, finding.evidence.budgets.index(radius))
            found[entry.label] = coherence(flattened(changes))
    return found
