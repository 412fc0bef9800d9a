"""Reads tables that lie beside pictures and say the class of each: CSV files and annotations."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from aegis.data.splits import FILLERS, split_of
from aegis.data.tree import MAX_FILES, Parts

ENDINGS = (".csv", ".tsv", ".txt")
# A line of a table takes about 40 bytes, and there are at most 200,000 pictures.
MAX_BYTES = 16 * 2**20

# Headings of the columns, in lower case and without anything but letters.
_FILES = ("filename", "file", "path", "filepath", "image", "imagename", "imageid", "imagepath", "img", "id", "name")
_CLASSES = ("classid", "class", "classname", "label", "labels", "category", "target", "y")


@dataclass(frozen=True)
class Table:
    """Says the classes of pictures.

    Args:
        path: of the table.
        classes: class by the picture's file, as the table writes it: with or without folders and ending.
    """

    path: Parts
    classes: Mapping[str, str]

    @property
    def split(self) -> str | None:
        """The split that the table's own name speaks of, such as *test* for ``GT-final_test.csv``; else None."""
        stem = self.path[-1].rpartition(".")[0]
        words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", stem)
        return next((split for word in words if (split := split_of(word))), None)

    def class_of(self, picture: Parts, split: str | None, *, alone: bool) -> str | None:
        """Looks a picture up.

        A path below the table's folder always counts. The name alone counts where it can mean no picture of another
        split: if the table speaks of this split or lies beside the picture, or if there is one folder only.

        Args:
            picture: path of the picture.
            split: that it belongs to, or None.
            alone: whether all pictures lie in one folder or split.

        Returns:
            The class; None if the table does not say it.
        """
        folder = self.path[:-1]
        if picture[: len(folder)] != folder:
            return None
        below = "/".join(picture[len(folder) :])
        if found := self.classes.get(below):
            return found
        beside = all(part.casefold() in FILLERS for part in picture[len(folder) : -1])
        if not (self.split == split if self.split and split else alone or beside):
            return None
        name = picture[-1]
        return self.classes.get(name) or self.classes.get(name.rpartition(".")[0])


def read_table(path: Parts, content: bytes) -> Table | None:
    """Reads a table of two or more columns, with a heading or with file and class in the first two.

    Args:
        path: of the file.
        content: of the file.

    Returns:
        The table; None if it names no classes.
    """
    text = content.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    delimiter = max("\t;, ", key=first.count)
    try:
        # A quoted field may be of any length, and is refused by the module beyond 128 KiB.
        lines = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MAX_FILES)
        rows = [row for row in lines if len(row) > 1]
    except csv.Error:
        return None
    if not rows:
        return None
    columns = _columns(rows[0])
    if columns is None:
        return None
    file, label, start = columns
    found = {
        row[file].strip().replace("\\", "/").removeprefix("./"): row[label].strip()
        for row in rows[start:]
        if len(row) > max(file, label)
    }
    return Table(path, found) if found else None


def _columns(head: Sequence[str]) -> tuple[int, int, int] | None:
    """Finds the columns of files and classes, and the row that they begin at; None if there are no classes."""
    titles = [re.sub(r"[^a-z]", "", title.lower()) for title in head]
    file, label = (next((i for i, title in enumerate(titles) if title in known), None) for known in (_FILES, _CLASSES))
    if file is not None and label is not None and file != label:
        return file, label, 1
    # A heading that names files and no class, as in the test set of GTSRB before its classes were published.
    return None if file is not None else (0, 1, 0)
