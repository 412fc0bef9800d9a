"""What is said and shown of each cluster, and what of it is selected."""

import numpy as np
import pytest

from aegis.records.record import config_of
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.components.palette import palette
from aegis.ui.inspect.clusters import TYPICAL, ClusterSummary, narrowed, summarise, typical, whole_clusters
from aegis.ui.inspect.gallery import available, positions
from aegis.ui.inspect.strip import pressed, row_of, strip
from aegis.ui.inspect.subject import Subject
from aegis.ui.scans import find_finding
from tests.finished import TESTED

ASSIGNMENT = np.array([0, 0, 0, 1, 1, 2, -1])


def rows(*chosen, of=7):
    return np.isin(np.arange(of), chosen)


@pytest.fixture
def subject(finished, monkeypatch):
    """A class of the finished scan with two points selected."""
    monkeypatch.setenv("AEGIS_STORE", str(finished.store))
    finding = find_finding(finished.record, TESTED[1])
    data = look_for_images(finished.record, finished.key, UploadCache())[0]
    about = (finished.key, finished.record, finding, data, config_of(finished.record), 0)
    return Subject(*about, rows(0, 70, of=len(finding.embeddings[0].points)), finding.clusters[0], palette(None))


def test_typical_images_lie_nearest_to_where_a_cluster_is_densest():
    generator = np.random.default_rng(1)
    dense = generator.normal(0, 0.1, (30, 2))
    points = np.concatenate([generator.uniform(2, 9, (12, 2)), dense]).astype(np.float32)
    chosen = typical(points, 1.0, np.ones(len(points), bool))
    assert len(chosen) == TYPICAL
    distances = np.linalg.norm(dense - dense.mean(axis=0), axis=1)
    assert set(chosen - 12) == set(np.argsort(distances)[:TYPICAL])
    # Only some may be shown, though they be far.
    assert typical(points, 1.0, rows(3, 5, of=len(points))).tolist() in ([3, 5], [5, 3])


@pytest.mark.parametrize(
    ("selected", "clusters"),
    [((0, 1, 2), (0,)), ((0, 1, 2, 5), (0, 2)), ((0, 1), ()), ((5, 6), ()), ((6,), ()), ((), ())],
)
def test_a_selection_of_whole_clusters_is_told_from_any_other(selected, clusters):
    assert whole_clusters(rows(*selected), ASSIGNMENT) == clusters


@pytest.mark.parametrize(("selected", "said", "row"), [((), "false", 3), ((3,), "mixed", 4), ((3, 4), "true", 3)])
def test_a_chip_says_how_much_is_selected_and_stands_for_what_a_click_would_add(selected, said, row):
    of_cluster = np.array([3, 4])
    assert pressed(of_cluster, rows(*selected)) == said
    assert row_of(of_cluster, rows(*selected)) == row


def test_each_cluster_says_what_it_holds(subject):
    summaries = summarise(subject, subject.clusters)
    assert [one.number for one in summaries] == list(range(subject.clusters.count))
    assert sum(one.translated for one in summaries) == sum(subject.embedding.is_translated)
    assert sum(one.training for one in summaries) == subject.training_count
    for one in summaries:
        assert sum(count for _, count in one.sources) == one.translated
        assert set(one.typical) <= set(one.rows)
        assert one.typical.min() >= (subject.training_count if one.translated else 0)
    content = strip(subject, summaries, range(len(summaries)), coloured=True)
    assert [chip["said"] for chip in content["chips"]] == [one.counts for one in summaries]
    assert all(chip["picture"].startswith("data:image/png") for chip in content["chips"])
    assert content["more"] == 0


def test_seeds_of_many_classes_are_said_in_short():
    def said(*sources):
        return ClusterSummary(0, np.arange(1), 1, 0, sources, np.arange(1)).say_sources(("a", "<b>", "c" * 50))

    assert said((1, 5), (0, 2)) == "from <b> 5, a 2"
    assert said((1, 5), (0, 2), (2, 1)) == "from <b> 5, a 2, …"
    assert said() == ""


def test_a_cluster_of_one_origin_shows_what_it_has(subject):
    summary = ClusterSummary(0, np.array([1, 2, 3]), 0, 3, (), np.array([1]))
    training = narrowed(subject, summary)
    assert positions(training, "training").tolist() == [1, 2, 3]
    assert available(training, "difference") == "training"
    assert available(subject, "translated") == "translated"
    moved = narrowed(subject, ClusterSummary(0, np.array([70]), 1, 0, (), np.array([70])))
    assert available(moved, "training") == "translated"
