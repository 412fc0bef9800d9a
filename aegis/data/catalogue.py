"""Lists the data sets known by name, from which the command line, the pages and the tests derive their choices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aegis.core.errors import DataError

SAMPLES = "samples:"
ASSETS = Path(__file__).resolve().parents[2] / "assets" / "data"


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Describes a named data set before it is read.

    Args:
        title: its name in the literature.
        class_names: one name for each class, in label order.
        shape: channels, height and width of one image.
        torchvision: the class in ``torchvision.datasets`` that downloads it.
        folder: the folder in which that class looks for it.
        sample: file name of its bundled sample.
    """

    title: str
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    torchvision: str
    folder: str
    sample: str


DATASETS: dict[str, DatasetInfo] = {
    "mnist": DatasetInfo(
        title="MNIST",
        class_names=tuple("0123456789"),
        shape=(1, 28, 28),
        torchvision="MNIST",
        folder="MNIST",
        sample="mnist.npz",
    ),
    "fashion_mnist": DatasetInfo(
        title="Fashion-MNIST",
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        shape=(1, 28, 28),
        torchvision="FashionMNIST",
        folder="FashionMNIST",
        sample="fashion_mnist.npz",
    ),
    "cifar10": DatasetInfo(
        title="CIFAR-10",
        class_names=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        shape=(3, 32, 32),
        torchvision="CIFAR10",
        folder="cifar-10-batches-py",
        sample="cifar10.tar.xz",
    ),
}

SOURCES: tuple[str, ...] = (*DATASETS, *(SAMPLES + name for name in DATASETS))
DEFAULT_SOURCE = SAMPLES + "fashion_mnist"


def default_source(dataset: str) -> str:
    """Chooses the bundled sample for a model when the user names no images.

    Args:
        dataset: data set that the checkpoint's card names, with or without ``samples:``.

    Returns:
        One of ``SOURCES``.

    Raises:
        DataError: if no sample of that data set is bundled.
    """
    name = dataset.removeprefix(SAMPLES)
    if name not in DATASETS:
        raise DataError(
            f"a data set with a bundled sample ({', '.join(DATASETS)})",
            repr(dataset),
            "Name the images with --data: an NPZ file or a folder with one sub-folder per class.",
        )
    return SAMPLES + name
