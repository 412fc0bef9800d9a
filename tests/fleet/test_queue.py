"""Which piece runs next and where, and what becomes of one whose process dies."""

import pytest

from aegis.core.runtime import Cancelled
from aegis.fleet.executor import Slot
from aegis.fleet.queue import TRIES, Piece, Queue

from .here import End, Here

ONE = (Slot(0),)


def run(pieces, work=lambda message: message, slots=ONE, more=lambda: False):
    """Messages in the order in which they began, each with its slot, and how the pieces ended."""
    executor, ended = Here(work, slots), []
    queue = Queue(executor, more, lambda piece, end: ended.append((piece.message().decode(), end.how)))
    for piece in pieces:
        queue.put(piece)
    queue.run()
    return [(slot.id, message.decode()) for slot, message, _ in executor.begun], ended


def piece(group, name, **changes):
    return Piece(group, name.encode, **changes)


def test_what_was_begun_goes_first_and_a_slot_goes_on_with_its_group():
    pieces = [piece(2, "c"), piece(1, "a"), piece(2, "d"), piece(1, "b")]
    assert run(pieces)[0] == [(0, "a"), (0, "b"), (0, "c"), (0, "d")]
    assert run(pieces, slots=(Slot(0), Slot(1)))[0] == [(0, "a"), (1, "b"), (0, "c"), (1, "d")]
    # The second slot keeps to its group although an earlier one waits.
    pieces = [piece(1, "a"), piece(2, "b"), piece(2, "c"), piece(1, "d")]
    pieces[0].gpu, pieces[3].gpu = True, True
    begun, _ = run(pieces, slots=(Slot(0, gpu=True), Slot(1, gpu=False)))
    assert begun == [(0, "a"), (1, "b"), (0, "d"), (1, "c")]


def test_more_is_asked_for_only_when_nothing_waits():
    queue, begun, coming = None, [], [piece(7, "later")]

    def more():
        if coming:
            queue.put(coming.pop())
            return True
        return False

    def work(message):
        begun.append((message, bool(coming)))
        return message

    queue = Queue(Here(work), more, lambda *_: None)
    for name in "ab":
        queue.put(piece(9, name))
    queue.run()
    assert begun == [(b"a", True), (b"b", True), (b"later", False)]


@pytest.mark.parametrize(("how", "tries"), [("died", TRIES), ("memory", 1)])
def test_a_process_that_dies_gets_a_second_try_and_no_third(how, tries):
    def work(message):
        raise End(how)

    begun, ended = run([piece(0, "deadly")], work)
    assert len(begun) == tries
    assert ended == [("deadly", how)]


def test_a_lost_node_is_no_try():
    left = ["lost"] * 5 + ["died"]

    def work(message):
        if left:
            raise End(left.pop(0))
        return b""

    begun, ended = run([piece(0, "unlucky")], work)
    assert (len(begun), ended) == (7, [("unlucky", "answered")])


def test_a_piece_for_which_there_is_no_place_is_told_and_others_go_on():
    nodes = (Slot(0, "one"), Slot(1, "two"))
    pieces = [piece(0, "x", avoid={"one", "two"}), piece(0, "y", avoid={"one"}), piece(1, "z", gpu=None)]
    begun, ended = run(pieces, slots=nodes)
    assert sorted(begun) == [(0, "z"), (1, "y")]
    assert ended[-1] == ("x", "nowhere")
    assert len(ended) == 3


def test_an_error_of_the_tick_ends_the_run():
    executor = Here(lambda message: message)

    def tick():
        if executor.begun:
            raise Cancelled

    queue = Queue(executor, lambda: False, lambda *_: None, tick)
    queue.put(piece(0, "a"))
    queue.put(piece(0, "b"))
    with pytest.raises(Cancelled):
        queue.run()
    assert len(executor.begun) == 1


def test_a_dropped_group_does_not_begin():
    executor, ended = Here(lambda message: message), []

    def end(piece, how):
        ended.append(piece.group)
        queue.drop(1)

    queue = Queue(executor, lambda: False, end)
    for name in "ab":
        queue.put(piece(1, name))
    queue.put(piece(2, "c"))
    queue.run()
    assert ended == [1, 2]
