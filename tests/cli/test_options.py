import pytest

from aegis.cli.options import class_labels, seconds
from aegis.core.errors import ConfigError

NAMES = ("airplane", "Horse", "hot dog", "7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("3,0,3", (3, 0)),
        ("horse", (1,)),
        ("Horse, airplane,horse", (1, 0)),
        ("hot dog,2", (2,)),
        # A number is a label, whatever the classes are called.
        ("7", (7,)),
        ("7,horse", (7, 1)),
    ],
)
def test_classes_are_labels_or_names(text, expected):
    assert class_labels(text, NAMES) == expected


@pytest.mark.parametrize("text", ["zebra", "1,zebra", "-1", "1.5", ""])
def test_other_names_are_refused_with_those_that_there_are(text):
    with pytest.raises(ConfigError, match=r"among airplane, Horse, hot dog, 7.*--classes 7,3"):
        class_labels(text, NAMES)


def test_not_all_of_a_thousand_names_are_shown():
    with pytest.raises(ConfigError, match=r"c19, \.\.\.; got"):
        class_labels("x", [f"c{i}" for i in range(1000)])


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), (" 2h ", 7200)]
)
def test_spans_of_time(text, expected):
    assert seconds(text, "--budget") == expected


@pytest.mark.parametrize("text", ["", "0", "0.0m", "ten", "-5", "1d", "1e9", "9999999999"])
def test_other_spans_are_refused(text):
    with pytest.raises(ConfigError, match=r"a span of time for --budget.*90s, 10m or 1\.5h"):
        seconds(text, "--budget")
