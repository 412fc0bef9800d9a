"""An executor that runs each piece in this process, at once."""

from collections.abc import Callable

from aegis.fleet.executor import Ended, Share, Slot

ONE = (Slot(0),)


class Here:
    """As many slots as are asked for; what a piece answers waits until it is fetched.

    Args:
        work: answers messages; what it raises is how the piece ends.
        slots: where pieces run, so that a test can tell them apart.
    """

    shares_disk = True

    def __init__(self, work: Callable[[bytes], bytes], slots: tuple[Slot, ...] = ONE) -> None:
        self.work, self.slots = work, slots
        self.ended: list[Ended] = []
        self.begun: list[tuple[Slot, bytes, Share]] = []
        self.closed = False

    def free(self) -> list[Slot]:
        return [slot for slot in self.slots if slot not in [one.slot for one in self.ended]]

    def submit(self, slot: Slot, number: int, message: bytes, share: Share) -> None:
        self.begun.append((slot, message, share))
        try:
            self.ended.append(Ended(number, slot, "answered", self.work(message)))
        except End as end:
            self.ended.append(Ended(number, slot, end.args[0]))

    def wait(self, seconds: float) -> list[Ended]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        self.closed = True


class End(Exception):
    """How a piece ends, instead of with an answer."""
