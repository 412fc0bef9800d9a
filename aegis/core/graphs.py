"""Replays work on a GPU as CUDA graphs: one launch instead of the hundreds that small networks spend their time on.

What is replayed computes the same numbers as before. On a processor, and for shapes that come seldom, nothing changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

R = TypeVar("R")

# Recording costs as much as a few calls, so a shape is recorded once it has come so often.
AFTER = 4
# Only one recording may be under way in a process.
_RECORDING = threading.Lock()


@contextmanager
def _beside(stream: torch.cuda.Stream) -> Iterator[None]:
    """Uses a stream after all that the present one has to do, and before all that it is given afterwards."""
    usual = torch.cuda.current_stream()
    stream.wait_stream(usual)
    with torch.cuda.stream(stream):
        yield
    usual.wait_stream(stream)


def _or_none(record: Callable[[], R]) -> R | None:
    """Records work, or gives None where that cannot be recorded: it is then launched anew at every call."""
    try:
        return record()
    except RuntimeError:
        return None


class Recording:
    """Work on a GPU that was recorded once and can be repeated on other values of the same tensors.

    Args:
        work: launches the work and returns its outcome, which stays in the same memory. It must have run before on the
            present stream, which must not be the usual one.
        pool: memory that recordings share, of which only one is used at a time; None for memory of its own.
    """

    def __init__(self, work: Callable[[], Tensor], pool: Any = None) -> None:  # noqa: ANN401
        self.graph = torch.cuda.CUDAGraph()
        # Other threads go on using the GPU meanwhile, and must not disturb the recording.
        self.graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            self.outcome = work()
        finally:
            self.graph.capture_end()

    def repeat(self) -> Tensor:
        """Does the work again, and returns its outcome, which the next repetition overwrites."""
        self.graph.replay()
        return self.outcome


class Replays:
    """Recordings of a network whose gradient by the images is wanted often; each thread records for itself."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def __deepcopy__(self, memo: object) -> Replays:
        # Recordings hold the addresses of one network's weights.
        return Replays()

    @property
    def recorded(self) -> int:
        """Number of shapes that the calling thread has recorded."""
        return sum(network is not None for network in getattr(self._mine, "networks", {}).values())

    def __call__(self, run: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Computes logits that can be differentiated by the images.

        Args:
            run: the network, always the same; maps images to logits.
            images: images on the GPU, shape (n, c, h, w), which require a gradient.

        Returns:
            Logits, shape (n, k).
        """
        mine = self._mine.__dict__
        calls, networks, shape = mine.setdefault("calls", {}), mine.setdefault("networks", {}), images.shape
        calls[shape] = calls.get(shape, 0) + 1
        if calls[shape] <= AFTER:
            return run(images)
        if shape not in networks:
            networks[shape] = _or_none(lambda: _Network(run, images, mine.setdefault("shared", _Shared())))
        network = networks[shape]
        return run(images) if network is None else cast(Tensor, _Replay.apply(images, network))


class _Shared:
    """What the recordings of one thread share: a stream, memory, and the number of forward passes replayed."""

    def __init__(self) -> None:
        self.stream, self.pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()
        self.turn = 0


class _Network:
    """Forward pass and gradient of a network on images of one shape."""

    def __init__(self, run: Callable[[Tensor], Tensor], images: Tensor, shared: _Shared) -> None:
        self.shared, self.images = shared, images.detach().clone().requires_grad_()
        with _RECORDING, _beside(shared.stream):
            # Libraries set themselves up on the first use of a stream, which cannot be recorded.
            logits = run(self.images)
            self.slope = torch.zeros_like(logits)
            self._gradient(logits)
            del logits
            forward = Recording(lambda: run(self.images), shared.pool)
            self.backward = Recording(lambda: self._gradient(forward.outcome), shared.pool)
        # Without its history the memory between the two passes is free for recordings of other shapes.
        forward.outcome = forward.outcome.detach()
        self.forward = forward

    def _gradient(self, logits: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad((logits * self.slope).sum(), self.images)
        return gradient


class _Replay(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, network: _Network) -> Tensor:  # noqa: ANN401
        network.images.data.copy_(images)
        network.shared.turn += 1
        ctx.network, ctx.turn = network, network.shared.turn
        return network.forward.repeat().clone()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        network = ctx.network
        if network.shared.turn != ctx.turn:
            raise RuntimeError("the memory of this call is used by a later one; ask for its gradient before that")
        network.slope.copy_(slope)
        return network.backward.repeat().clone(), None


class Repeated:
    """A function of tensors without gradients that is called often on the same shapes.

    On a GPU it is recorded, and its outcome is overwritten by the next call.

    Args:
        work: maps tensors, or numbers in their place, to a tensor.
    """

    def __init__(self, work: Callable[..., Tensor]) -> None:
        self.work = work
        self._calls = 0
        self._inputs: list[Tensor] = []
        self._recording: Recording | None = None
        self._tried = False

    def __call__(self, first: Tensor, *others: float | Tensor) -> Tensor:
        """Does the work.

        Args:
            first: a tensor, which says where the work is done.
            others: further tensors or numbers; always of the same shapes.

        Returns:
            The outcome.
        """
        self._calls += first.is_cuda
        if self._calls <= AFTER:
            return self.work(first, *others)
        if not self._tried:
            self._tried = True
            self._inputs = [torch.as_tensor(one, device=first.device).to(first, copy=True) for one in (first, *others)]
            self._recording = _or_none(self._record)
        if self._recording is None:
            return self.work(first, *others)
        for kept, new in zip(self._inputs, (first, *others), strict=True):
            # A number is filled in without waiting for the device, unlike a tensor of the processor.
            kept.copy_(new) if isinstance(new, Tensor) else kept.fill_(new)
        return self._recording.repeat()

    def _record(self) -> Recording:
        stream = torch.cuda.Stream()
        with _RECORDING, _beside(stream):
            self.work(*self._inputs)
            return Recording(lambda: self.work(*self._inputs))
