"""Tells architectures apart that have the same tensors but compute something else with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from aegis.core.types import LabelledImages
from aegis.models.architectures import build
from aegis.models.identify.fit import Candidate

# Images whose labels decide, and by how much more of them the right architecture is right.
MOST, LEAST, AHEAD = 250, 50, 0.2
# Logits are the same if they differ by less than this part of their spread over images.
SAME = 1e-3
IMAGES = 4

Group = list[Candidate]


def groups(
    fitting: Sequence[Candidate],
    tensors: Callable[[Candidate], Mapping[str, Tensor]],
    shape: tuple[int, int, int] | None,
) -> list[Group]:
    """Puts architectures together that compute the same with the file's tensors.

    Args:
        fitting: architectures whose names and shapes all fit, the usual ones first.
        tensors: gives the file's tensors by an architecture's own names.
        shape: of the images they must run on; None for the likely one.

    Returns:
        The groups in the order of their first members; those that cannot run on the images are left out.
    """
    found: list[tuple[Group, Tensor]] = []
    for candidate in fitting:
        proposal = candidate.proposal
        side = (proposal.side, proposal.side) if shape is None else shape[1:]
        noise = torch.rand(IMAGES, proposal.channels, *side, generator=torch.Generator().manual_seed(0))
        logits = _logits(candidate, tensors(candidate), noise)
        if logits is None:
            continue
        same = [group for group, known in found if _same(logits, known)]
        if same:
            same[0].append(candidate)
        else:
            found.append(([candidate], logits))
    return [group for group, _ in found]


def by_accuracy(
    apart: Sequence[Group],
    tensors: Callable[[Candidate], Mapping[str, Tensor]],
    images: LabelledImages,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> Group | None:
    """Finds the group that is right about far more labelled images than the others.

    Args:
        apart: groups that compute something else each.
        tensors: as in ``groups``.
        images: labelled images.
        mean, std: their normalisation, one value or one per channel.

    Returns:
        The group; None if none is far ahead, or there are too few images.
    """
    chosen = images.take(torch.linspace(0, len(images) - 1, min(MOST, len(images))).long().numpy())
    if len(chosen) < LEAST:
        return None
    pixels = (torch.from_numpy(chosen.pixels) - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    right = []
    for group in apart:
        logits = _logits(group[0], tensors(group[0]), pixels)
        hits = 0.0 if logits is None else (logits.argmax(1) == torch.from_numpy(chosen.labels)).float().mean().item()
        right.append(hits)
    first, second, *_ = sorted(right, reverse=True)
    return apart[right.index(first)] if first >= second + AHEAD else None


def _logits(candidate: Candidate, tensors: Mapping[str, Tensor], pixels: Tensor) -> Tensor | None:
    """The network's answers to a batch; None if it cannot run on such images."""
    proposal = candidate.proposal
    try:
        network = build(proposal.architecture, proposal.channels, proposal.classes)
        network.load_state_dict(dict(tensors), strict=False)
        network.eval()
        with torch.inference_mode():
            return torch.cat([network(part) for part in pixels.split(50)])
    except Exception:  # a network may raise anything on images that it was not made for
        return None


def _same(logits: Tensor, known: Tensor) -> bool:
    if logits.shape != known.shape:
        return False
    spread = (known - known.mean(0)).abs().max()
    return bool((logits - known).abs().max() <= SAME * spread)
