"""Files from a browser, checked here in Python, since a widget's limits hold in the browser alone.

No text from a browser is ever taken for a path: files are written under names of our own into a folder that
belongs to one job and goes with it; what the user called them is shown and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aegis.core.archives import opened_zip
from aegis.core.errors import AegisError, CheckpointError, DataError, StoreError
from aegis.core.files import whole_file
from aegis.core.parsing import numbers
from aegis.core.text import printable
from aegis.core.types import Dataset
from aegis.data.arrays import to_dataset
from aegis.data.files import read_unkept
from aegis.models.card import Identity, read_identity
from aegis.models.intake.formats import recognise
from aegis.services.few_images import few
from aegis.services.references import class_counts
from aegis.ui.suspects import check_whole

# As maxUploadSize in .streamlit/config.toml, which the browser keeps to.
MAX_BYTES = 200 * 2**20
# Limits of the unpacked size of an archive, and of the pixel values of all images together.
MAX_UNPACKED = 2**30
MAX_VALUES = 2**27
NAME = 120
# Prefix of an upload's name in a record, which must not look like a data set or a path.
UPLOADED = "upload: "

# Other prefixes run foreign code; other options reach files or the network (timm takes pretrained=1).
_BY_NAME = re.compile(r"aegis:\w{1,40}(,width=\d{1,4})?|(torchvision|timm):[A-Za-z0-9_.]{1,100}")
_SUFFIXES = (".npz", ".zip")


@dataclass(frozen=True)
class Upload:
    """A file from a browser.

    Args:
        name: what the user calls it, made printable; shown, never opened.
        content: its bytes.
    """

    name: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class ImagesSummary:
    """What the page needs to know of images that were read.

    Args:
        digest: of the data set, in hex.
        shape: channels, height and width of one image.
        class_names: in label order.
        train, test: images of each class.
        few: some of them, to look at and to try a network on.
    """

    digest: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]
    few: Dataset


def upload(name: str, content: bytes) -> Upload:
    """Checks a file from a browser.

    Args:
        name: of the file, as the browser gives it.
        content: of the file.

    Raises:
        DataError: if it is empty or too large.
    """
    shown = printable(name.replace("\\", "/").rpartition("/")[2], NAME)
    if not 0 < len(content) <= MAX_BYTES:
        got = "an empty one" if not content else f"{len(content) / 2**20:.0f} MiB"
        raise DataError(
            f"a file of at most {MAX_BYTES >> 20} MiB", got, "Larger files are read by the command line: aegis scan."
        )
    return Upload(shown, content)


class Workspace:
    """A folder for the uploads of one job, readable by this user alone; made on entry and removed by ``remove``.

    Raises:
        StoreError: if it cannot be written.
    """

    def __init__(self) -> None:
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="aegis-job-"))
        except OSError as error:
            raise _no_room(error) from error

    def put(self, upload: Upload, stem: str) -> Path:
        """Writes an upload under a name of ours; only the kind of file decides the ending.

        Args:
            upload: the file.
            stem: name of the file without ending.
        """
        path = self.folder / (stem + (_kind(upload) if stem == "images" else ""))
        try:
            with whole_file(path) as file:
                file.write(upload.content)
        except OSError as error:
            raise _no_room(error) from error
        return path

    def holds(self, path: Path) -> bool:
        """Tells whether a file lies in this workspace."""
        return path.parent == self.folder

    def remove(self) -> None:
        """Removes the folder with all its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def identify(checkpoint: Upload) -> Identity | None:
    """Reads the card of an uploaded checkpoint; nothing in it is executed.

    Returns:
        Its identity; None without a card.

    Raises:
        AegisError: if it is no checkpoint, or its card is damaged or names code.
    """
    workspace = Workspace()
    try:
        path = workspace.put(checkpoint, "model")
        identity = None
        if recognise(path) == "safetensors":
            check_whole(path)
            identity = read_identity(path)
    finally:
        workspace.remove()
    if identity is not None:
        check_architecture(identity.architecture)
    return identity


def check_architecture(name: str) -> str:
    """Checks that an architecture is safe to build for somebody at a browser.

    Raises:
        CheckpointError: if it names code, a file or anything else than a known library's network.
    """
    if _BY_NAME.fullmatch(name) is None:
        raise CheckpointError(
            "an architecture by name, such as aegis:resnet18,width=32, torchvision:resnet18 or timm:resnet18",
            repr(printable(name)),
            "An architecture of your own runs code, which no browser may ask for: use aegis scan --arch there.",
        )
    return name


def check_numbers(text: str, what: str) -> str | None:
    """Checks comma-separated finite numbers.

    Args:
        text: as it was typed.
        what: name of the field, for the message.

    Returns:
        The text; None if it is empty.

    Raises:
        ConfigError: if they are none.
    """
    if not text.strip():
        return None
    numbers(text, f"comma-separated numbers for the {what}", "0.5")
    return text.strip()


def read_images(path: Path, name: str) -> Dataset:
    """Reads uploaded images; unlike on the command line, decoded pixels are not kept on disk.

    Args:
        path: an NPZ file or an archive of pictures, where a workspace put it.
        name: what the user calls it.

    Raises:
        DataError: if they cannot be used.
    """
    _check_unpacked(path)
    arrays = read_unkept(path)
    values = arrays.x_train.size + arrays.x_test.size
    if values > MAX_VALUES:
        raise DataError(
            f"images of at most {MAX_VALUES:,} pixel values together",
            f"{values:,}",
            "A few hundred images a class are enough for a scan; the command line takes more.",
        )
    return to_dataset(arrays, name)


def summarise(images: Dataset) -> ImagesSummary:
    """Keeps what the page needs to know of images."""
    return ImagesSummary(images.digest, images.shape, images.class_names, *class_counts(images), few(images))


def examine_images(images: Upload) -> ImagesSummary:
    """Reads uploaded images once, before anything is done with them.

    Args:
        images: the file.

    Raises:
        AegisError: if they cannot be used.
    """
    workspace = Workspace()
    try:
        with hidden(workspace):
            return summarise(read_images(workspace.put(images, "images"), images.name))
    finally:
        workspace.remove()


@contextmanager
def hidden(workspace: Workspace | None) -> Iterator[None]:
    """Leaves the path of a workspace out of the messages of errors.

    Args:
        workspace: of the job, or None.
    """
    try:
        yield
    except AegisError as error:
        if workspace is None:
            raise
        folder = f"{workspace.folder}/"
        parts = (part.replace(folder, "") for part in (error.expected, error.got, error.advice))
        raise type(error)(*parts) from error


def _kind(upload: Upload) -> str:
    suffix = Path(upload.name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise DataError(
            "images as an NPZ file or a zip file with one folder per class",
            upload.name,
            "Save the arrays with numpy.savez_compressed, or pack the folder.",
        )
    return suffix


def _check_unpacked(path: Path) -> None:
    try:
        with opened_zip(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise DataError(
            "an NPZ or zip file", f"something that does not read as one ({error})", "Save or pack it again."
        ) from error
    if unpacked > MAX_UNPACKED:
        raise DataError(
            f"at most {MAX_UNPACKED >> 20} MiB once unpacked", f"{unpacked >> 20} MiB", "Give fewer images."
        )


def _no_room(error: OSError) -> StoreError:
    return StoreError(
        "room for the uploaded file", error.strerror or type(error).__name__, "Free some disk space on the server."
    )
