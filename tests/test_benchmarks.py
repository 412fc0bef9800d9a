"""What benchmarks say about the times they took."""

import os

from benchmarks.machine import memory
from benchmarks.timing import Timing, table


def test_the_median_is_held_against_the_target():
    quick, slow = Timing("quick", (0.5, 0.9, 0.7), 0.7), Timing("slow", (2.1, 2.0, 9.0, 2.3), 2.0)
    assert (quick.median, quick.kept) == (0.7, True)
    assert (slow.median, slow.kept) == (2.2, False)


def test_a_table_says_what_was_kept_and_what_was_not():
    lines = table(
        [
            Timing("a click", (0.5, 0.9, 0.7), 0.7),
            Timing("slow", (3.0,), 2.0),
            Timing("more", (1.0, 2.0)),
            Timing("no", ()),
        ]
    )
    assert lines.splitlines() == [
        "  a click    0.70 s (0.50 to 0.90, n = 3)      at most 0.7 s: kept",
        "  slow       3.00 s (3.00 to 3.00, n = 1)      at most 2 s: MISSED",
        "  more       1.50 s (1.00 to 2.00, n = 2)",
        "  no       not measured",
    ]


def test_memory_of_this_process():
    now, most = memory(os.getpid())
    assert 10 < now <= most
