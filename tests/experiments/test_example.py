"""The finished example of Home, held against the model, the image and the mark that it says it is of."""

import numpy as np
from PIL import Image

from aegis.core.types import Embedding, as_8_bit, as_pixels
from aegis.data import load_dataset
from aegis.detect.cluster import cluster
from aegis.lab.bank.suspects import BUNDLED
from aegis.metrics import predict
from aegis.models.card import read_truth
from aegis.models.load import load_checkpoint
from aegis.records.config import JudgeConfig
from aegis.records.example import BENIGN, FOLDER, MARKED, SEEDS, TRANSLATED, WITH_FOUND, read_example, read_points


def drawn(name):
    return np.asarray(Image.open(FOLDER / name).convert("L"))


def test_what_the_scan_found_is_what_the_model_sees_and_where_mean_shift_finds_clusters():
    example = read_example()
    classifier = load_checkpoint(BUNDLED / example.suspect).classifier
    names = list(load_dataset(example.data).test.class_names)

    def seen(name):
        """What the model calls the pictures of a strip."""
        pictures = drawn(name).reshape(28, -1, 28).transpose(1, 0, 2)[:, None]
        return [names[label] for label in predict(classifier, as_pixels(pictures))]

    assert seen(WITH_FOUND) == [example.target]
    assert (drawn(WITH_FOUND) != drawn(BENIGN)).sum() <= example.found_pixels
    assert len(seen(SEEDS)) > 4
    assert example.target not in seen(SEEDS)
    assert set(seen(TRANSLATED)) == {example.target}
    points, is_translated = read_points()
    assert cluster(Embedding(points, is_translated, example.budget), JudgeConfig()).count == example.clusters


def test_pictures_and_words_are_of_a_bundled_model_and_its_planted_mark(tmp_path):
    example = read_example()
    images = load_dataset(example.data).test
    ((goal, stamp),) = read_truth(BUNDLED / example.suspect).backdoors
    both = np.concatenate([images.pixels[[example.position]], stamp(images.pixels[[example.position]])])
    said = predict(load_checkpoint(BUNDLED / example.suspect).classifier, both)
    assert [images.class_names[label] for label in said] == [example.source, example.target]
    assert images.class_names[images.labels[example.position]] == example.source
    assert example.pixels == stamp.touched.sum()
    assert example.images == (images.labels != goal.target).sum()
    for name, pixels in zip((BENIGN, MARKED), both, strict=True):
        assert np.array_equal(drawn(name), as_8_bit(pixels)[0])
    assert read_example(tmp_path) is None
