"""Wraps any torch network as the classifier under test, with normalisation inside."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from aegis.core.errors import CheckpointError
from aegis.core.graphs import Replays
from aegis.core.runtime import Runtime
from aegis.models.card import MAX_SIDE
from aegis.models.fold import fold_batch_norms, foldable_batch_norms


class Classifier(nn.Module):
    """The classifier f of the paper, which maps pixels in [0, 1] to logits.

    Args:
        network: a module whose last layer is linear.
        shape: channels, height and width of its images, at most 224 pixels a side.
        mean, std: per-channel normalisation, applied to the pixels first.

    Raises:
        CheckpointError: if the network does not run on such images or has no final linear layer.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, int, int],
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
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
        self.head, self.spatial = _find_layers(self)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self._head_layer.out_features

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

    @property
    def _head_layer(self) -> nn.Linear:
        layer = self.network.get_submodule(self.head)
        assert isinstance(layer, nn.Linear)
        return layer

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
        x = (pixels - self.mean) / self.std
        if x.ndim == 4 and pixels.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)
        out: Tensor = self.network(x.to(self.runtime.dtype))
        return out.float()

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
            pooled: whether to take the input of the final linear layer instead of the last spatial map, flattened.

        Returns:
            Features on the CPU, float32, shape (n, d).
        """
        at_head = pooled or not self.spatial
        layer = self.network.get_submodule(self.head if at_head else self.spatial)
        seen: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            # A network may call one ReLU module everywhere, also after the flattening.
            if at_head or _is_spatial(output):
                seen[:] = [(inputs[0] if at_head else output).detach().float().flatten(1)]

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
            runtime: device and precision of the copy.
            once: whether the copy is used for a few calls only, so that recording them for a GPU is not worth it.

        Returns:
            The copy; the classifier itself is unchanged.
        """
        runtime.settle()
        fast = copy.deepcopy(self).eval().requires_grad_(False)
        if self._foldable is None:
            probe = torch.zeros(2, *self.shape, device=self.mean.device)
            self._foldable = foldable_batch_norms(fast.network, lambda: fast(probe))
        fold_batch_norms(fast.network, self._foldable)
        fast.runtime = runtime
        fast.to(runtime.device)
        fast.network.to(runtime.dtype).to(memory_format=torch.channels_last)
        fast._replays = Replays() if runtime.device == "cuda" and not once else None
        return fast


def _is_spatial(output: Tensor) -> bool:
    return output.ndim == 4 and output.shape[2] * output.shape[3] > 1


def _find_layers(classifier: Classifier) -> tuple[str, str]:
    """Finds the names of the final linear layer and of the layer with the last spatial map (empty if there is none)."""
    calls: list[tuple[str, nn.Module, Tensor]] = []

    def watch(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _: object, output: object) -> None:
            if isinstance(output, Tensor):
                calls.append((name, module, output))

        return hook

    handles = [m.register_forward_hook(watch(n)) for n, m in classifier.network.named_modules() if n]
    training = classifier.network.training
    classifier.network.eval()
    try:
        with torch.no_grad():
            logits = classifier(torch.zeros(2, *classifier.shape))
    except Exception as error:  # the network's own forward may raise anything on images it was not made for
        raise CheckpointError(
            f"a network that runs on images of shape {classifier.shape}",
            f"{type(error).__name__}: {error}",
            "Check the architecture and that --data has the channels and size the model was trained on.",
        ) from error
    finally:
        classifier.network.train(training)
        for handle in handles:
            handle.remove()
    linear = [i for i, (_, module, _) in enumerate(calls) if isinstance(module, nn.Linear)]
    if not linear or not torch.equal(calls[linear[-1]][2].float(), logits):
        raise CheckpointError(
            "a network whose last layer is linear and gives the logits",
            f"{type(classifier.network).__name__}, which ends otherwise",
            "Return the linear layer's output; leave softmax out of the network.",
        )
    spatial = [name for name, _, out in calls[: linear[-1]] if _is_spatial(out)]
    return calls[linear[-1]][0], spatial[-1] if spatial else ""
