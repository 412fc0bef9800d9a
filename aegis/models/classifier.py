"""Wraps any torch network as the classifier under test, with normalisation inside."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from aegis.core.errors import CheckpointError
from aegis.core.graphs import Replays
from aegis.core.runtime import Runtime
from aegis.models.anatomy import examine
from aegis.models.card import MAX_SIDE
from aegis.models.fold import fold_batch_norms, foldable_batch_norms
from aegis.models.placement import Placement, detach_own_tensors, find_placement, move_own_tensors
from aegis.models.rectify import can_join, join_rectified, rectified_convolutions


class Classifier(nn.Module):
    """The classifier f of the paper, which maps pixels in [0, 1] to logits.

    Args:
        network: a module that returns logits, or something they can be read from (``outputs.Reading``).
        shape: channels, height and width of its images, at most 224 pixels a side.
        mean, std: per-channel normalisation, applied to the pixels first.
        classes: number of classes of the data, which tells logits from other tensors; None where it is not known.

    Raises:
        CheckpointError: if the network does not run on such images or returns no logits.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, int, int],
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
        *,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        if max(shape[1:]) > MAX_SIDE:
            raise CheckpointError(
                f"images of at most {MAX_SIDE} pixels a side", f"{shape[1]}x{shape[2]}", "Resize the images."
            )
        self.network = network
        self.shape = shape
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)
        self.runtime = Runtime()
        self._replays: Replays | None = None
        self._foldable: list[tuple[str, str]] | None = None
        self._rectified: list[tuple[str, str]] | None = None
        self._placements: dict[tuple[str, str], Placement] = {}
        self.anatomy = examine(network, self._returned, shape, classes)

    @property
    def head(self) -> str:
        """Name of the layer that gives the classes."""
        return self.anatomy.head

    @property
    def spatial(self) -> str:
        """Name of the layer with the last map or tokens; empty if there is none."""
        return self.anatomy.last

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.anatomy.classes

    @property
    def batch(self) -> int:
        """Number of images to pass at a time, fewer for large images: so many that activations fit a processor's cache,
        or keep a GPU busy.
        """
        _, height, width = self.shape
        most, pixels = (250, 2**18) if self.runtime.device == "cpu" else (500, 2**19)
        return max(8, min(most, pixels // (height * width)))

    @property
    def labels(self) -> range:
        """The labels Y."""
        return range(self.classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Computes logits.

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).

        Returns:
            Logits, float32, shape (n, classes).
        """
        if self._replays is not None and torch.is_grad_enabled() and pixels.requires_grad:
            return self._replays(self._run, pixels)
        return self._run(pixels)

    def _run(self, pixels: Tensor) -> Tensor:
        return self.anatomy.reading.logits(self._returned(pixels), len(pixels))

    def _returned(self, pixels: Tensor) -> object:
        x = (pixels - self.mean) / self.std
        if x.ndim == 4 and pixels.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)
        returned: object = self.network(x.to(self.runtime.dtype))
        return returned

    def logits(self, pixels: Tensor) -> Tensor:
        """Computes logits in batches, without gradients.

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).

        Returns:
            Logits on the CPU, float32, shape (n, classes).
        """
        return self._in_batches(self.forward, pixels)

    def features(self, pixels: Tensor, pooled: bool = False) -> Tensor:
        """Computes the representation R(x, f) of images (Section 4, step 2).

        Args:
            pixels: images in [0, 1], shape (n, c, h, w).
            pooled: whether to take the input of the layer that gives the classes instead of the last map or tokens,
                flattened.

        Returns:
            Features on the CPU, float32, shape (n, d).
        """
        anatomy, at_head = self.anatomy, pooled or not self.spatial
        layer = self.network.get_submodule(self.head if at_head else self.spatial)
        seen: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[object, ...], output: Tensor) -> None:
            # A network may call one ReLU module everywhere, also after the flattening.
            if at_head:
                seen[:] = [anatomy.pooled(inputs, output, layer)]
            elif anatomy.has_places(output):
                seen[:] = [output.detach().float().flatten(1)]

        def run(x: Tensor) -> Tensor:
            self.forward(x)
            return seen.pop()

        handle = layer.register_forward_hook(keep)
        try:
            return self._in_batches(run, pixels)
        finally:
            handle.remove()

    def _in_batches(self, run: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        with torch.inference_mode():
            parts = [run(part.to(self.mean.device)).cpu() for part in torch.split(pixels, self.batch)]
        return torch.cat(parts)

    def frozen(self, runtime: Runtime, *, once: bool = False) -> Classifier:
        """Makes a fast copy for evaluation: no gradients of weights, batch norm folded, the runtime's precision.

        Args:
            runtime: device and precision of the copy; where the network does not run there, those of ``fitted``.
            once: whether the copy is used for a few calls only, so that recording them for a GPU is not worth it.

        Returns:
            The copy; the classifier itself is unchanged.
        """
        return self._copy(self._placement(runtime), once)

    def fitted(self, runtime: Runtime) -> Runtime:
        """Finds the device and precision nearest to those wanted at which the network runs.

        Args:
            runtime: device and precision that are wanted.

        Returns:
            The runtime itself for most networks; else float32 on the same device, or on the processor.

        Raises:
            CheckpointError: if it runs nowhere.
        """
        return self._placement(runtime).runtime

    def _placement(self, runtime: Runtime) -> Placement:
        wanted = runtime.device, runtime.precision
        if wanted not in self._placements:
            self._placements[wanted] = find_placement(runtime, self._try)
        found = self._placements[wanted]
        return replace(found, runtime=replace(found.runtime, workers=runtime.workers))

    def _try(self, placement: Placement) -> None:
        """Computes logits and their gradient once, as a scan does."""
        with torch.inference_mode(False), torch.enable_grad():
            pixels = torch.zeros(2, *self.shape, device=placement.runtime.device, requires_grad=True)
            torch.autograd.grad(self._copy(placement, True)(pixels).sum(), pixels)

    def _copy(self, placement: Placement, once: bool) -> Classifier:
        runtime = placement.runtime
        runtime.settle()
        detach_own_tensors(self.network)
        fast = copy.deepcopy(self).eval().requires_grad_(False)
        probe = torch.zeros(2, *self.shape, device=self.mean.device)
        if self._foldable is None:
            self._foldable = foldable_batch_norms(fast.network, lambda: fast(probe))
        fold_batch_norms(fast.network, self._foldable)
        if runtime.device == "cpu" and can_join(runtime.dtype):
            if self._rectified is None:
                self._rectified = rectified_convolutions(fast.network, lambda: fast(probe), self.spatial)
            join_rectified(fast.network, self._rectified)
        fast.runtime = runtime
        fast.to(runtime.device)
        fast.network.to(runtime.dtype).to(memory_format=torch.channels_last)
        if placement.own:
            move_own_tensors(fast.network, runtime)
        fast._replays = Replays() if runtime.device == "cuda" and not once else None
        return fast
