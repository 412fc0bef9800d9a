"""The sentence that compares detectors, the verdict of a comparison, and JSON that comes back unchanged."""

from dataclasses import dataclass

import pytest

from aegis.records.detectors import AEGIS, ASSUMPTIONS, ComparisonRecord, DetectorRecord, aegis_record, say_agreement
from aegis.records.record import DataRecord, RuntimeRecord, SourceRecord, read_record
from tests.layers import ROOT

NAMES = ("cat", "dog", "ship")
TITLES = {AEGIS: "AEGIS", "nc": "Neural Cleanse", "mmbd": "MM-BD"}


def one(name, *flagged, verdict=None):
    return DetectorRecord(
        name=name,
        title=TITLES[name],
        verdict=verdict or ("infected" if flagged else "clean"),
        flagged_classes=flagged,
        statistic="size",
        scores=(1.0, None, 3.0),
        measure="anomaly index",
        values=(float("inf"), None, -1.0),
        cut=2.0,
        threshold=None,
        successes=(None, None, 0.5),
        seconds=1.0,
        runtime=RuntimeRecord(device="cpu", precision="fp32"),
    )


def comparison(*detectors):
    return ComparisonRecord(
        file="suspect.safetensors",
        sha256="0" * 64,
        data=DataRecord(name="animals", digest="1" * 64, class_names=NAMES, shape=(3, 8, 8), train=9, test=9),
        seed=0,
        detectors=detectors,
        sentence=say_agreement(detectors, NAMES),
        versions={},
        created="2026-01-01T00:00:00+00:00",
        source=SourceRecord(),
    )


@pytest.mark.parametrize(
    ("detectors", "sentence"),
    [
        ((one("nc", 1), one("mmbd", 1), one(AEGIS, 1)), "All 3 detectors flag class 1 (dog)."),
        ((one("nc"), one(AEGIS)), "All 2 detectors flag no class."),
        ((one("nc", 2, 0),), "Neural Cleanse flags class 2 (ship) and class 0 (cat)."),
        (
            (one("nc"), one("mmbd", 1), one(AEGIS, 1)),
            f"They disagree: MM-BD and AEGIS flag class 1 (dog); Neural Cleanse flags no class. {ASSUMPTIONS['nc']}.",
        ),
        (
            (one("mmbd", verdict="inconclusive"), one(AEGIS)),
            "They disagree: AEGIS flags no class; MM-BD comes to no conclusion. " + f"{ASSUMPTIONS['mmbd']}.",
        ),
        # The order of the flagged classes is no disagreement.
        ((one("nc", 0, 2), one(AEGIS, 2, 0)), "All 2 detectors flag class 2 (ship) and class 0 (cat)."),
    ],
)
def test_who_says_what_and_why_they_may_differ(detectors, sentence):
    assert say_agreement(detectors, NAMES) == sentence


@pytest.mark.parametrize(
    ("detectors", "verdict"),
    [
        ((one("nc", 1), one(AEGIS)), "clean"),
        ((one("nc"), one(AEGIS, verdict="inconclusive")), "inconclusive"),
        ((one("nc"), one("mmbd", 1)), "infected"),
        ((one("nc"), one("mmbd", verdict="inconclusive")), "inconclusive"),
        ((one("nc"), one("mmbd")), "clean"),
    ],
)
def test_the_verdict_is_that_of_aegis_or_of_whoever_finds_something(detectors, verdict):
    assert comparison(*detectors).verdict == verdict


def test_json_comes_back_unchanged():
    record = comparison(one("nc", 1), one(AEGIS))
    again = ComparisonRecord.model_validate_json(record.to_json())
    assert again == record
    assert again.detectors[0].value == float("inf")


@dataclass(frozen=True)
class Known:
    """A scan that is kept, and what it says."""

    name: str
    verdict: str
    flagged: tuple[int, ...]


@pytest.mark.parametrize("known", [Known("mnist_localised", "infected", (7,)), Known("mnist_clean", "clean", ())])
def test_a_scan_in_the_same_terms(known):
    scan = read_record(ROOT / f"results/scans/quick/default/{known.name}-seed0.json.gz")
    said = aegis_record(scan)
    assert (said.verdict, said.flagged_classes, len(said.scores)) == (known.verdict, known.flagged, 10)
    assert said.cut == scan.config["verdict"]["alpha"]
    assert said.value == min(found.p_value for found in scan.classes)
    assert said.scores[7] == max(t.score for t in scan.classes[7].triggers)
