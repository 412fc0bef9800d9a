"""Finds out, by passing a few images through a network, how its logits are read and which layers give its features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from aegis.core.errors import CheckpointError
from aegis.models.outputs import LOGITS, Reading, find_path, form_of

# A map is late if so many of the layers with weights ran before it, and tokens made of it are a part of the head.
LATE = 0.9
PROBES = 8
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True)
class Anatomy:
    """Says which parts of a network give its logits and features.

    Args:
        reading: how logits are read from what it returns.
        classes: number of classes.
        head: name of the layer whose input is the pooled representation.
        behind: whether the pooled representation is that layer's output instead, in a network without such a layer.
        last: name of the layer with the last representation that has places; empty if there is none.
        kind: whether its places are those of a map or tokens.
    """

    reading: Reading
    classes: int
    head: str
    behind: bool = False
    last: str = ""
    kind: Literal["map", "tokens"] = "map"

    def has_places(self, output: object) -> bool:
        """Tells whether a layer's output is of the kind that the last representation is."""
        return is_map(output) if self.kind == "map" else are_tokens(output)

    def pooled(self, inputs: tuple[object, ...], output: object, layer: nn.Module) -> Tensor:
        """Takes the pooled representation from a call of the head.

        Args:
            inputs: its inputs.
            output: its output.
            layer: the head.

        Returns:
            One vector per image, averaged over places, float32, shape (n, d).
        """
        taken = output if self.behind else inputs[0]
        assert isinstance(taken, Tensor)
        x = taken.detach().float()
        if x.ndim == 2:
            return x
        # Linear layers and those that follow them have channels last.
        last = isinstance(layer, nn.Linear) or x.ndim == 3
        return x.flatten(1, -2).mean(1) if last else x.flatten(2).mean(2)

    @property
    def notes(self) -> tuple[str, ...]:
        """Says what a user would not expect, a part of a sentence each."""
        tokens = f"its features are the tokens that {self.last} gives" if self.kind == "tokens" else ""
        behind = f"no layer of it gives the classes: pooled features are what {self.head} gives" if self.behind else ""
        return (*self.reading.notes, *(note for note in (tokens, behind) if note))


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of a layer while the images passed."""

    name: str
    module: nn.Module
    given: object
    output: Tensor

    @property
    def weighted(self) -> bool:
        return bool(self.module._parameters) or hasattr(self.module, "parametrizations")


def examine(
    network: nn.Module, run: Callable[[Tensor], object], shape: tuple[int, int, int], classes: int | None = None
) -> Anatomy:
    """Passes images through a network and finds out how to read it.

    Args:
        network: the network.
        run: passes pixels, shape (n, c, h, w), through it, and returns what it returns.
        shape: channels, height and width of its images.
        classes: number of classes of the data, which tells logits from other tensors; None where it is not known.

    Returns:
        Its parts.

    Raises:
        CheckpointError: if it does not run on such images, or returns no logits.
    """
    pixels = torch.zeros(2, *shape)
    returned, calls = _watch(network, run, pixels)
    path = find_path(returned, len(pixels), classes)
    rows = Reading(path).rows(returned, len(pixels))
    linear = [i for i, call in enumerate(calls) if isinstance(call.module, nn.Linear)]
    if linear and torch.equal(calls[linear[-1]].output.float(), rows):
        at, behind, form = linear[-1], False, LOGITS
    else:
        # Black images alone could look like anything.
        pixels = torch.rand(PROBES, *shape, generator=torch.Generator().manual_seed(0))
        returned, calls = _watch(network, run, pixels)
        rows = Reading(path).rows(returned, len(pixels))
        at, behind = _find_head(network, calls, rows)
        form = form_of(rows, None if behind else _flat(calls[at].output))
    last = _last_representation(calls[: at + behind], calls[at].given, len(pixels), shape)
    return Anatomy(
        reading=Reading(path, form, single=rows.shape[1] == 1),
        classes=max(rows.shape[1], 2),
        head=calls[at].name,
        behind=behind,
        last=last.name if last else "",
        kind="tokens" if last and are_tokens(last.output) else "map",
    )


def is_map(output: object) -> bool:
    """Tells whether a layer's output has height and width."""
    return isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1


def are_tokens(output: object) -> bool:
    """Tells whether a layer's output is several tokens per image."""
    return isinstance(output, Tensor) and output.ndim == 3 and min(output.shape[1:]) > 1


def _watch(network: nn.Module, run: Callable[[Tensor], object], pixels: Tensor) -> tuple[object, list[_Call]]:
    """Passes images through a network in evaluation mode and notes every call of a layer that gives a tensor."""
    calls: list[_Call] = []

    def watch(name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        def hook(module: nn.Module, given: tuple[object, ...], output: object) -> None:
            if isinstance(output, Tensor):
                calls.append(_Call(name, module, given[0] if given else None, output))

        return hook

    handles = [m.register_forward_hook(watch(n)) for n, m in network.named_modules() if n]
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            return run(pixels), calls
    except Exception as error:  # the network's own forward may raise anything on images it was not made for
        raise CheckpointError(
            f"a network that runs on images of shape {tuple(pixels.shape[1:])}",
            f"{type(error).__name__}: {error}",
            "Check the architecture and that --data has the channels and size the model was trained on.",
        ) from error
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()


def _find_head(network: nn.Module, calls: list[_Call], rows: Tensor) -> tuple[int, bool]:
    """Finds the call of the layer that gives the classes, or else the last one before them, and which of the two."""
    width = rows.shape[1]
    heads = [i for i, call in enumerate(calls) if call.weighted and isinstance(call.given, Tensor)]
    same = [i for i in heads if torch.equal(_flat(calls[i].output), _flat(rows))]
    gives = [i for i in heads if _channels(calls[i]) == width]
    usual = [i for i in gives if isinstance(calls[i].module, nn.Linear | nn.modules.conv._ConvNd)]
    # Heads of single tokens or places help in training, beside that of the image.
    whole = [i for i in usual if _flat(calls[i].output).shape[1] == width]
    own = [i for i in gives if not isinstance(calls[i].module, NORMS)]
    for found in (same, whole, usual, own):
        if found:
            return found[-1], False
    before = [
        i for i, call in enumerate(calls) if len(call.output) == len(rows) and _flat(call.output).shape[1] != width
    ]
    if not before:
        raise CheckpointError(
            "a network with a layer before its logits, whose output can be its features",
            f"{type(network).__name__}, which has none",
            "Make its parts modules of torch.",
        )
    return before[-1], True


def _flat(output: Tensor) -> Tensor:
    return output.float().flatten(1) if output.ndim > 1 else output.float().reshape(-1, 1)


def _channels(call: _Call) -> int:
    output = call.output
    if output.ndim < 2 or output.ndim == 3 or isinstance(call.module, nn.Linear):
        return output.shape[-1] if output.ndim > 1 else 1
    return output.shape[1]


def _last_representation(calls: list[_Call], given: object, images: int, shape: tuple[int, int, int]) -> _Call | None:
    """Finds the last call before the head whose output has places: tokens in a network of tokens, else a map."""
    maps = [i for i, call in enumerate(calls) if is_map(call.output)]
    tokens = [i for i, call in enumerate(calls) if are_tokens(call.output) and len(call.output) == images]
    if tokens and not _ends_in_a_map(calls, maps, tokens):
        # Attention that pools has tokens of other widths inside.
        width = given.shape[-1] if isinstance(given, Tensor) else 0
        return calls[([i for i in tokens if calls[i].output.shape[2] == width] or tokens)[-1]]
    if not maps or _is_the_image(calls[: maps[-1] + 1], shape):
        return None
    return calls[maps[-1]]


def _ends_in_a_map(calls: list[_Call], maps: list[int], tokens: list[int]) -> bool:
    """Tells whether tokens, if any follow the last map, belong to the head of a network of maps."""
    # Inside attention there are tokens of several heads, or a single one that asks, which look like a map.
    counts = {1, *(calls[i].output.shape[1] for i in tokens)}
    own = [i for i in maps if i < tokens[0] or calls[i].output.shape[2] not in counts]
    if not own or own[-1] > tokens[-1]:
        return bool(own)
    weighted = [i for i, call in enumerate(calls) if call.weighted]
    # A map after the first tokens is a detour on their way.
    return own[-1] < tokens[0] and sum(i <= own[-1] for i in weighted) >= LATE * len(weighted)


def _is_the_image(calls: list[_Call], shape: tuple[int, int, int]) -> bool:
    """Tells whether the last output is the image in other words: of its shape, and computed without weights."""
    return calls[-1].output.shape[1:] == shape and not any(call.weighted for call in calls)
