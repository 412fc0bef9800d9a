"""What runs pieces of work somewhere else: processes of this machine, or the nodes of a cluster.

A piece of work is a function of bytes that answers with bytes, so that nothing is ever pickled that came from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Work = Callable[[bytes], bytes]
# How a piece ended: with an answer, with its process gone, with its node gone, with the end of its memory, or never
# begun, since no slot fits.
Ending = Literal["answered", "died", "lost", "memory", "nowhere"]


@dataclass(frozen=True)
class Slot:
    """A place where one piece runs at a time.

    Args:
        id: tells it from the others of its executor.
        node: the machine that it is on; slots of one node share their disk and fail together.
        gpu: whether pieces there use a GPU; None where that is up to them.
    """

    id: int
    node: str = ""
    gpu: bool | None = None


# Bytes that a process takes for the libraries and their work on a small model: 1.6 GiB were measured.
LIBRARIES = 2 * 2**30


@dataclass(frozen=True)
class Share:
    """What a piece needs of a machine, beside one processor core.

    Args:
        memory: bytes.
    """

    memory: int = 0


@dataclass(frozen=True)
class Ended:
    """A piece that has ended.

    Args:
        number: of the piece.
        slot: where it ran.
        how: it ended.
        answer: what it answered.
    """

    number: int
    slot: Slot
    how: Ending
    answer: bytes = b""


@runtime_checkable
class Executor(Protocol):
    """Runs pieces of work, one in each of its slots."""

    @property
    def shares_disk(self) -> bool:
        """Whether all pieces see the files of the one that asks."""

    def free(self) -> list[Slot]:
        """Lists the slots in which nothing runs.

        Raises:
            AegisError: if there is no slot left at all.
        """

    def submit(self, slot: Slot, number: int, message: bytes, share: Share) -> None:
        """Begins a piece.

        Args:
            slot: one that is free.
            number: of the piece, which no other has.
            message: what it is about.
            share: what it needs.
        """

    def wait(self, seconds: float) -> list[Ended]:
        """Waits until a piece ends.

        Args:
            seconds: to wait at most.

        Returns:
            Those that ended since the last call.
        """

    def close(self) -> None:
        """Ends whatever runs."""
