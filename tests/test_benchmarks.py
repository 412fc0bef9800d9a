"""What benchmarks say about the times they took."""

import os
import re

from benchmarks.machine import memory
from benchmarks.timing import Timing, line


def test_the_median_is_held_against_the_target():
    quick, slow = Timing("quick", (0.5, 0.9, 0.7), 0.7), Timing("slow", (2.1, 2.0, 9.0, 2.3), 2.0)
    assert (quick.median, quick.kept) == (0.7, True)
    assert (slow.median, slow.kept) == (2.2, False)


def test_a_line_says_whether_the_target_is_kept():
    lines = map(
        line,
        [Timing("click", (0.5, 0.9, 0.7), 0.7), Timing("slow", (3,), 2), Timing("more", (1, 2)), Timing("none", ())],
    )
    assert [re.split("  +", each.strip()) for each in lines] == [
        ["click", "0.70 s (0.50 to 0.90, n = 3)", "at most 0.7 s: kept"],
        ["slow", "3.00 s (3.00 to 3.00, n = 1)", "at most 2 s: MISSED"],
        ["more", "1.50 s (1.00 to 2.00, n = 2)"],
        ["none", "not measured"],
    ]


def test_memory_of_this_process():
    now, most = memory(os.getpid())
    assert 10 < now <= most
