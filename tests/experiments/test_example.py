"""The finished example of Home, held against the model, the image and the mark that it says it is of."""

import numpy as np
from PIL import Image

from aegis.core.types import as_8_bit
from aegis.data import load_dataset
from aegis.lab.bank.suspects import BUNDLED
from aegis.metrics import predict
from aegis.models.card import read_truth
from aegis.models.load import load_checkpoint
from aegis.records.example import BENIGN, FOLDER, MARKED, read_example


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
        picture = np.asarray(Image.open(FOLDER / name).convert("L"))
        assert np.array_equal(picture, as_8_bit(pixels)[0])
    assert read_example(tmp_path) is None
