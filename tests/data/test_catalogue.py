import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS, DEFAULT_SOURCE, SOURCES, default_source


def test_every_name_is_a_source_with_ten_classes_and_a_sample_that_stands_in_for_it():
    for name, info in DATASETS.items():
        assert {name, f"samples:{name}"} <= set(SOURCES)
        assert default_source(name) == default_source(f"samples:{name}") == f"samples:{name}"
        assert len(set(info.class_names)) == 10
    assert DEFAULT_SOURCE in SOURCES


def test_classes_are_in_the_order_of_their_labels():
    assert DATASETS["fashion_mnist"].class_names[7] == "Sneaker"
    # A folder of pictures gives them in this order.
    assert list(DATASETS["cifar10"].class_names) == sorted(DATASETS["cifar10"].class_names)


def test_an_unknown_data_set_has_no_sample_and_the_message_says_what_to_do():
    with pytest.raises(DataError, match=r"'flowers'.*--data"):
        default_source("flowers")
