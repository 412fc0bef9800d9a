"""Kills work at random moments and checks what the next start makes of it.

    python -m benchmarks.kills [--kills 200] [--seed 0]

Scans, trainings, reports and writes to a store are killed (``kill -9``) in turn, started again, and held against the
same work that nobody killed. A unit is a step of a class, an epoch, a report, or a round of writes.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aegis.core.files import left_behind
from aegis.store.store import Store
from benchmarks.killable import WORKS, Bench, Moment, Ran, Work
from benchmarks.machine import describe
from benchmarks.nursery import Nursery


@dataclass
class Tally:
    """Counts of what came of the kills of one kind of work.

    Args:
        kills: attempts that were killed.
        units: parts that were finished before.
        lost: of these, parts computed again.
        corrupt: attempts that left something damaged.
        unseen: attempts that were not shown as interrupted.
        resumed: attempts that were completed by a second start.
        seconds: on the clock.
        problems: in words.
    """

    kills: int = 0
    units: int = 0
    lost: int = 0
    corrupt: int = 0
    unseen: int = 0
    resumed: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def kill(work: Work, whole: Ran, expected: str, moment: Moment, tally: Tally) -> None:
    """Kill work at a moment, start it again, and count the outcome.

    Args:
        work: the kind of work.
        whole: an attempt that was not killed.
        expected: its outcome.
        moment: when it dies.
        tally: of this kind of work.
    """
    work.prepare()
    start = time.perf_counter()
    killed = work.run(moment)
    store, finished = Store(work.store), work.units(killed)
    damage, seen, outcome = store.check().damage, store.interrupted(), work.outcome(killed)
    corrupt = bool(damage) or not work.may_be(outcome, expected)
    # Before its first unit is finished, work may not have been begun.
    unseen = bool(finished) and not work.is_over(outcome, expected) and not seen
    again = work.run()
    lost = work.repeated(again, finished)
    left = (store.interrupted(), store.check().damage, left_behind(work.folder), left_behind(work.store / "arrays"))
    resumed = again.code == whole.code and work.outcome(again) == expected and not any(left)
    tally.kills += killed.code == -signal.SIGKILL
    tally.units += len(finished)
    tally.lost += len(lost)
    tally.corrupt += corrupt
    tally.unseen += unseen
    tally.resumed += resumed
    tally.seconds += time.perf_counter() - start
    if lost or corrupt or unseen or not resumed:
        tally.problems.append(f"at {moment}: lost {lost}, damage {damage}, seen {seen}, left {left}: {again.said}")


def moments(whole: Ran, count: int, generator: random.Random, by_clock: bool) -> list[Moment]:
    """Draw random moments at which work is killed. Events are drawn rather than seconds, since most of the time of
    small work goes into imports.

    Most of the time of small work goes into imports; so it is events that are drawn, and not seconds.

    Args:
        whole: the work that nobody killed.
        count: number of moments.
        generator: of random numbers.
        by_clock: also between events.

    Returns:
        The moments.
    """
    times = [seconds for seconds, _, _ in whole.moments]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])] + [0.0]
    chosen = [generator.randrange(len(times)) for _ in range(count)]
    return [(i + 1, generator.uniform(0, gaps[i]) if by_clock else 0.0) for i in chosen]


def run(bench: Bench, kills: int, seed: int, by_clock: bool = True) -> Iterator[tuple[str, Tally]]:
    """Kill each kind of work its share of the times.

    Args:
        bench: runs the work.
        kills: in all.
        seed: of the random moments.
        by_clock: also between events.

    Yields:
        Kind of work and counts.
    """
    generator = random.Random(seed)
    for number, kind in enumerate(WORKS):
        work, tally = kind(bench), Tally()
        work.prepare()
        whole = work.run()
        expected = work.outcome(whole)
        share = len(range(number, kills, len(WORKS)))
        for moment in moments(whole, share, generator, by_clock):
            kill(work, whole, expected, moment, tally)
        yield work.name, tally


def main() -> None:
    """Print the outcome of the kills of each kind of work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options, _ = parser.parse_known_args()
    print(f"kill -9 at random moments, seed {options.seed}; {describe()}")
    with tempfile.TemporaryDirectory() as folder, Nursery() as nursery:
        bench = Bench(Path(folder), nursery)
        bench.make()
        for name, tally in run(bench, options.kills, options.seed):
            print(
                f"  {name:<10} {tally.kills:4} kills, {tally.units:4} units finished before, {tally.lost} lost, "
                f"{tally.corrupt} corrupt, {tally.unseen} not shown as interrupted, {tally.resumed} resumed, "
                f"{tally.seconds:.0f} s",
                flush=True,
            )
            for problem in tally.problems:
                print(f"    {problem}", flush=True)


if __name__ == "__main__":
    main()
