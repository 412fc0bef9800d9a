"""What benchmarks say about the times they took."""

import os
import re

from benchmarks.machine import memory
from benchmarks.timing import Timing, line


def test_the_median_is_held_against_the_target_and_a_line_says_so():
    cases = (("click", (0.5, 0.9, 0.7), 0.7), ("slow", (2.1, 2.0, 9.0, 2.3), 2), ("more", (1, 2)), ("none", ()))
    timings = [Timing(*case) for case in cases]
    assert [(one.median, one.kept) for one in timings[:2]] == [(0.7, True), (2.2, False)]
    assert [re.split("  +", line(each).strip()) for each in timings] == [
        ["click", "0.70 s (0.50 to 0.90, n = 3)", "at most 0.7 s: kept"],
        ["slow", "2.20 s (2.00 to 9.00, n = 4)", "at most 2 s: MISSED"],
        ["more", "1.50 s (1.00 to 2.00, n = 2)"],
        ["none", "not measured"],
    ]


def test_memory_of_this_process():
    now, most = memory(os.getpid())
    assert 10 < now <= most
