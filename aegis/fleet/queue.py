"""Decides which piece of work runs next and where, and gives one whose process died a second try.

Pieces of earlier groups go first, so that what was begun ends before more is begun; a slot goes on with the group that
it has just worked on, whose model it has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from aegis.fleet.executor import Ended, Executor, Share, Slot

# How often a piece is begun before it is given up.
TRIES = 2
# Seconds between two looks at whether the work is still wanted.
TICK = 0.5


@dataclass(eq=False)
class Piece:
    """A piece of work that waits or runs.

    Args:
        group: the number of what it belongs to; lower ones go first.
        message: writes what it is about, when it begins.
        share: what it needs of a machine.
        gpu: whether it needs a slot with a GPU, or one without; None for any.
        avoid: nodes on which it cannot run.
        tries: how often it was begun.
    """

    group: int
    message: Callable[[], bytes]
    share: Share = field(default_factory=Share)
    gpu: bool | None = None
    avoid: set[str] = field(default_factory=set)
    tries: int = 0

    def fits(self, slot: Slot) -> bool:
        """Tells whether it may run in a slot."""
        return slot.node not in self.avoid and (None in (self.gpu, slot.gpu) or self.gpu == slot.gpu)


class Queue:
    """Runs pieces on an executor until none is left.

    Args:
        executor: runs them.
        more: is asked for further pieces when a slot is free and nothing waits; None ends the asking for good.
        ended: is told of each piece that ended, and how; a piece that died is told of after its last try. It may put
            further pieces.
        tick: called every half second; an error that it raises ends the run.
    """

    def __init__(
        self,
        executor: Executor,
        more: Callable[[], bool],
        ended: Callable[[Piece, Ended], None],
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._executor, self._more, self._ended, self._tick = executor, more, ended, tick
        self._waiting: dict[int, list[Piece]] = {}
        self._running: dict[int, Piece] = {}
        self._last: dict[int, int] = {}
        self._count = 0

    def put(self, piece: Piece) -> None:
        """Lets a piece wait for its turn."""
        self._waiting.setdefault(piece.group, []).append(piece)

    def drop(self, group: int) -> None:
        """Forgets the pieces of a group that have not begun."""
        self._waiting.pop(group, None)

    def runs(self, group: int) -> bool:
        """Tells whether a piece of a group waits or runs."""
        return group in self._waiting or any(piece.group == group for piece in self._running.values())

    def run(self) -> None:
        """Runs all pieces, and those that are put meanwhile; as ``turns``, in one go."""
        for _ in self.turns():
            pass

    def turns(self) -> Iterator[None]:
        """Runs all pieces, and those that are put meanwhile, and lets the caller act whenever some have ended.

        Raises:
            AegisError: if the executor has no place left.
        """
        open_ = True
        while True:
            self._tick()
            free = self._executor.free()
            open_ = self._fill(free, open_)
            if not self._running:
                if not (self._waiting or open_):
                    return
                # Without a slot, a node may come back.
                if free:
                    self._give_up()
            for ended in self._executor.wait(TICK):
                self._take(self._running.pop(ended.number), ended)
            yield

    def _fill(self, free: list[Slot], open_: bool) -> bool:
        """Gives every free slot a piece, and tells whether there may be more."""
        for slot in free:
            piece = self._next(slot)
            while piece is None and open_:
                open_ = self._more()
                piece = self._next(slot)
            if piece is not None:
                self._begin(piece, slot)
        return open_

    def _begin(self, piece: Piece, slot: Slot) -> None:
        piece.tries += 1
        self._count += 1
        self._running[self._count] = piece
        self._last[slot.id] = piece.group
        self._executor.submit(slot, self._count, piece.message(), piece.share)

    def _next(self, slot: Slot) -> Piece | None:
        # What waits belongs to few groups: others are only asked for when none of it fits.
        mine = self._last.get(slot.id)
        for group in sorted(self._waiting, key=lambda group: (group != mine, group)):
            waiting = self._waiting[group]
            for i, piece in enumerate(waiting):
                if piece.fits(slot):
                    del waiting[i]
                    if not waiting:
                        del self._waiting[group]
                    return piece
        return None

    def _take(self, piece: Piece, ended: Ended) -> None:
        # A lost node says nothing about the piece.
        piece.tries -= ended.how == "lost"
        if ended.how == "lost" or (ended.how == "died" and piece.tries < TRIES):
            self.put(piece)
        else:
            self._ended(piece, ended)

    def _give_up(self) -> None:
        """Ends the pieces for which there is no slot, although all are free."""
        for waiting in [*self._waiting.values()]:
            for piece in [*waiting]:
                waiting.remove(piece)
                self._ended(piece, Ended(0, Slot(-1), "nowhere"))
        self._waiting = {group: waiting for group, waiting in self._waiting.items() if waiting}
