"""Progress in a log, and how the parts of a scan add up."""

import io
import re

import pytest

from aegis.cli import progress
from aegis.cli.output import Printer
from aegis.core.progress import SHARES, ScanProgress
from aegis.core.runtime import Event


def test_the_parts_of_a_scan_add_up():
    shown = []
    report = progress._ClassReport(lambda key, done, text: shown.append((key, done, text)), ScanProgress(2))
    report(Event(stage="assess", step=5, total=10))
    for label in (0, 1):
        for stage in SHARES:
            for step in (1, 2):
                report(Event(stage=stage, label=label, step=step, total=2))
    whole = [done for key, done, _ in shown if key is None]
    assert whole == sorted(whole)
    assert 0 < whole[0] < whole[-1] == pytest.approx(1)
    assert shown[0][2] == "robustness"
    assert shown[-1][2] == "2 of 2 classes"
    assert [done for key, done, _ in shown if key == 0][-1] == 1


@pytest.mark.parametrize("tries", [True, False])
def test_every_stage_of_a_class_goes_on_where_the_one_before_it_ended(tries):
    progress, reached = ScanProgress.of(1, tries), 0.0
    for stage in progress.shares:
        progress.add(Event(stage=stage, label=0, step=0, total=2))
        assert progress.done[0] == pytest.approx(reached)
        progress.add(Event(stage=stage, label=0, step=2, total=2))
        reached = progress.done[0]
    assert reached == pytest.approx(1)


def test_what_was_found_in_the_store_counts_as_done_and_an_unknown_stage_breaks_nothing():
    progress = ScanProgress(4)
    progress.add(Event(stage="something new", label=0, step=1, total=1))
    assert progress.done == {0: 0.0}
    progress.add(Event(stage="embed", label=3, step=1, total=1))
    assert progress.whole > 0.25


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    now = iter(range(0, 10_000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(now)))
    out = Printer(stderr=True)
    out.file = io.StringIO()
    lines = progress._Lines(out)
    for done in range(50, 100, 2):
        lines(None, done / 100, "training, loss 0.5")
    said = out.file.getvalue().splitlines()
    assert 5 <= len(said) <= 10
    first = re.fullmatch(r"training, loss 0\.5: (\d+)%, about (\d+) s left", said[0])
    # Half was done before: what is left is judged by the speed of now, 2% in 10 seconds.
    assert int(first[2]) == pytest.approx((100 - int(first[1])) * 5, rel=0.5)


def test_quiet_is_silent(capsys):
    with progress.progress_bar("training", quiet=True) as report, progress.waiting("reading", quiet=True):
        report(Event(stage="train", step=1, total=2))
    with progress.class_bars(3, tries=True, quiet=True) as report:
        report(Event(stage="embed", label=1, step=1, total=2))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_thousandth_does_not_tell_how_long_the_rest_takes(monkeypatch):
    now = iter((0.0, 40.0, 80.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    out = Printer(stderr=True)
    out.file = io.StringIO()
    lines = progress._Lines(out)
    for done in (0.0, 0.001, 0.02):
        lines(None, done, "0 of 1000 classes")
    assert out.file.getvalue().splitlines() == [
        "0 of 1000 classes: 0%",
        "0 of 1000 classes: 2%, about 3920 s left",
    ]
