import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS, DEFAULT_SOURCE, SOURCES, default_source


@pytest.mark.parametrize("name", DATASETS)
def test_every_name_is_a_source_and_has_a_sample_that_stands_in_for_it(name):
    assert {name, f"samples:{name}"} <= set(SOURCES)
    assert default_source(name) == default_source(f"samples:{name}") == f"samples:{name}"


@pytest.mark.parametrize("name", DATASETS)
def test_classes_are_ten_different_names(name):
    assert len(set(DATASETS[name].class_names)) == 10


def test_class_7_of_fashion_mnist_is_the_sneaker():
    assert DATASETS["fashion_mnist"].class_names[7] == "Sneaker"


def test_class_names_of_cifar10_are_alphabetical_as_a_folder_gives_them():
    assert list(DATASETS["cifar10"].class_names) == sorted(DATASETS["cifar10"].class_names)


def test_the_default_is_among_the_sources():
    assert DEFAULT_SOURCE in SOURCES


def test_an_unknown_data_set_has_no_sample_and_the_message_says_what_to_do():
    with pytest.raises(DataError, match=r"'flowers'.*--data"):
        default_source("flowers")
