"""Finds out from paths and tables which picture belongs to which split and class; no picture is opened here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aegis.core.text import count_of
from aegis.data.splits import FILLERS, SAID, held_out, split_of
from aegis.data.tables import Table
from aegis.data.tree import Parts

SPLITS = ("train", "test")
# TrojAI ships a model's clean and triggered pictures in folders that look like two classes.
_TROJAI = ("clean_example_data", "poisoned_example_data")
# Ways to write the class into a file's name: class_3_example_12, and cat.7 or cat_007.
_IN_NAMES = (re.compile(r"class[_-]?([0-9A-Za-z]+)[_.-]"), re.compile(r"([A-Za-z][A-Za-z _-]*?)[_. -]?\d+\."))
# No class has a number of more digits.
DIGITS = 6
# File names that are told; the rest is counted.
TOLD = 3


class LayoutError(Exception):
    """Pictures lie in a way that tells no classes; the text says what was found."""


@dataclass(frozen=True)
class Layout:
    """Says where each picture belongs.

    Args:
        train: class of each picture for training, in the order of their paths.
        test: the same for testing.
        class_names: in label order.
        notes: what the user is told: what was left out, and where classes and splits come from.
    """

    train: Mapping[Parts, str]
    test: Mapping[Parts, str]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def arrange(pictures: Iterable[Parts], tables: Sequence[Table] = ()) -> Layout:
    """Finds the classes of pictures: by their folders, by a table beside them, or by their names.

    Args:
        pictures: path of each.
        tables: that lie among them.

    Returns:
        The layout, with pictures in the order of their paths.

    Raises:
        LayoutError: if there are not two classes, or it is unclear which pictures belong to them.
    """
    paths = sorted(pictures)
    nested = [path for path in paths if len(path) > 1]
    reason = "no pictures inside folders"
    if nested:
        places = _without_common_top(nested)
        usual = _by_folders(places)
        if isinstance(usual, Layout) and not _are_splits(usual.class_names, places, tables):
            return _told(usual, paths)
        reason = usual if isinstance(usual, str) else f"the classes {', '.join(usual.class_names)}"
        found = _by_splits(places, tables)
        if found is not None:
            return _told(found, paths)
    found = _flat(paths, tables)
    if found is None:
        raise LayoutError(reason)
    return _told(found, paths)


def _without_common_top(paths: Sequence[Parts]) -> dict[Parts, Parts]:
    """Gives each path without the folders above the classes or splits."""
    first, depth = paths[0], 0
    # Archives may nest folders deeper than Python can recurse.
    while first[depth] not in SPLITS and all(len(path) >= depth + 3 and path[depth] == first[depth] for path in paths):
        depth += 1
    return {path: path[depth:] for path in paths}


def _by_folders(places: Mapping[Parts, Parts]) -> Layout | str:
    """Takes one folder as one class, below ``train`` and ``test`` or without splits; else says what is in the way."""
    has_splits = {place[0] for place in places.values()} == set(SPLITS)
    for place in places.values():
        if len(place) != 2 + has_splits:
            return f"a picture at {'/'.join(place)}"
    classes = {path: place[-2] for path, place in places.items()}
    names = tuple(sorted(set(classes.values())))
    if len(names) < 2:
        return f"{count_of(len(classes), 'picture')} in {count_of(len(names), 'class')}"
    if not has_splits:
        return _halved(classes, names)
    train, test = ({p: c for p, c in classes.items() if places[p][0] == split} for split in SPLITS)
    return Layout(train, test, names)


def _are_splits(names: Sequence[str], places: Mapping[Parts, Parts], tables: Sequence[Table]) -> bool:
    """Tells folders of splits whose pictures are named or listed by class from folders of classes."""
    if tuple(names) == _TROJAI:
        return True
    if not all(map(split_of, names)):
        return False
    return any(
        table.class_of(path, split_of(place[0]), alone=False) for table in tables for path, place in places.items()
    )


def _by_splits(places: Mapping[Parts, Parts], tables: Sequence[Table]) -> Layout | None:
    """Reads folders named as splits, with folders of classes in them, or with pictures that a table lists."""
    groups: dict[str, dict[Parts, Parts]] = {}
    for path, place in places.items():
        groups.setdefault(split_of(place[0]) or "", {})[path] = place[1:]
    others = groups.pop("", {})
    notes = [f"Pictures beside the splits were left out: {listed(list(others))}."] if others else []
    labelled: dict[str, dict[Parts, str]] = {}
    in_folders = True
    for split, group in sorted(groups.items()):
        found = _classes_of(group, split, tables, alone=len(groups) == 1)
        if found is None:
            notes.append(f"The {len(group):,} pictures of {split} were left out: nothing says their classes.")
            continue
        labelled[split], how = found
        notes += [f"Classes of {split} are read from {how}."] if how else []
        # Test pictures in one folder are usual beside folders of classes for training, which then name the classes.
        in_folders &= not how or split != "train"
    if not labelled or ("train" in groups and "train" not in labelled):
        return None
    return _paired(labelled, in_folders, notes)


def _paired(labelled: Mapping[str, Mapping[Parts, str]], in_folders: bool, notes: Sequence[str]) -> Layout | None:
    """Chooses the split for training and the one for testing; a single one is divided."""
    train = labelled.get("train")
    order = _as_text if in_folders else _in_order
    if train is None or len(labelled) == 1:
        classes = next(iter(labelled.values()))
        names = order(classes.values())
        return _with_notes(_halved(classes, names), notes) if len(labelled) == 1 and len(names) > 1 else None
    said = "Images of val are taken for testing."
    if "test" in labelled:
        said = f"The {len(labelled['val']):,} pictures of val were left out." if "val" in labelled else ""
    test = _same_names(train, labelled["test" if "test" in labelled else "val"])
    names = order([*train.values(), *test.values()])
    return Layout(train, test, names, (*notes, *([said] if said else []))) if len(names) > 1 else None


def _classes_of(
    group: Mapping[Parts, Parts], split: str | None, tables: Sequence[Table], *, alone: bool
) -> tuple[dict[Parts, str], str] | None:
    """Classes of one split's pictures, and the table or names that they come from; None if nothing says them.

    Raises:
        LayoutError: if some pictures lie deeper than others.
    """
    folders = {path: place[:-1] for path, place in group.items()}
    # A folder "images" in every class is no class, and neither is one for the whole split.
    if all(len(of) > 1 and of[-1].casefold() in FILLERS for of in folders.values()):
        folders = {path: of[:-1] for path, of in folders.items()}
    if len({of[:1] for of in folders.values()}) == 1 and all(
        of[0].casefold() in FILLERS for of in folders.values() if of
    ):
        folders = {path: of[1:] for path, of in folders.items()}
    if all(len(of) == 1 for of in folders.values()):
        return {path: of[0] for path, of in folders.items()}, ""
    for table in tables:
        found = {path: name for path in group if (name := table.class_of(path, split, alone=alone))}
        # A list of the classes by number would otherwise label the pictures that are called so.
        if 2 * len(found) >= len(group):
            rest = f" ({len(group) - len(found):,} pictures that it does not list left out)"
            return found, "/".join(table.path) + (rest if len(found) < len(group) else "")
    if any(folders.values()):
        raise LayoutError(f"a picture at {'/'.join(next(path for path, of in folders.items() if len(of) != 1))}")
    return _in_names(list(group))


def _in_names(paths: Sequence[Parts]) -> tuple[dict[Parts, str], str] | None:
    """Classes that are written into the names of all pictures in the same way; None if they are not."""
    for pattern in _IN_NAMES:
        matches = {path: pattern.match(path[-1]) for path in paths}
        found = {path: match[1] for path, match in matches.items() if match}
        counts = Counter(found.values())
        # A single picture of a name is more likely numbered than labelled.
        if len(found) == len(paths) and len(counts) > 1 and min(counts.values()) > 1:
            return found, "the names of the pictures"
    return None


def _flat(paths: Sequence[Parts], tables: Sequence[Table]) -> Layout | None:
    """Reads pictures that lie in one folder, or that one table lists wherever they lie."""
    if not paths:
        return None
    one_folder = len({path[:-1] for path in paths}) == 1
    places = {path: path[-1:] for path in paths}
    found = _classes_of(places, None, tables, alone=one_folder) if one_folder or tables else None
    if found is None or (not one_folder and found[1] == "the names of the pictures"):
        return None
    classes, how = found
    names = _in_order(classes.values())
    return None if len(names) < 2 else _with_notes(_halved(classes, names), [f"Classes are read from {how}."])


def _halved(classes: Mapping[Parts, str], names: tuple[str, ...]) -> Layout | str:
    mask = held_out(classes.values())
    train, test = (
        {path: name for (path, name), chosen in zip(classes.items(), mask, strict=True) if chosen == which}
        for which in (False, True)
    )
    if not train:
        return f"{count_of(len(classes), 'picture')} in {count_of(len(names), 'class')}"
    return Layout(train, test, names, (SAID,))


def _with_notes(layout: Layout | str, notes: Sequence[str]) -> Layout | None:
    if isinstance(layout, str):
        return None
    return Layout(layout.train, layout.test, layout.class_names, (*notes, *layout.notes))


def _same_names(train: Mapping[Parts, str], test: Mapping[Parts, str]) -> dict[Parts, str]:
    """Writes class numbers of a table as the folders of the training pictures do: 7 as 00007."""
    known = set(train.values())
    by_number = {int(name): name for name in known if _is_number(name)}
    return {
        path: by_number.get(int(name), name) if name not in known and _is_number(name) else name
        for path, name in test.items()
    }


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= DIGITS


def _as_text(classes: Iterable[str]) -> tuple[str, ...]:
    """Puts names of folders in label order, as everybody's image folders do."""
    return tuple(sorted(set(classes)))


def _in_order(classes: Iterable[str]) -> tuple[str, ...]:
    """Puts names that are no folders in label order: numbers by their size, and other names as text."""
    names = set(classes)
    if not all(map(_is_number, names)):
        return tuple(sorted(names))
    numbers = {int(name): name for name in names}
    # A number that is missing keeps its place, so that no label is shifted in silence; its class is then asked for.
    start = min(1, *numbers)
    return tuple(numbers.get(i, str(i)) for i in range(start, max(numbers) + 1))


def _told(layout: Layout, pictures: Sequence[Parts]) -> Layout:
    lost = [path for path in pictures if len(path) == 1 and path not in layout.train and path not in layout.test]
    if not lost:
        return layout
    said = f"Pictures beside the folders were left out: {listed(lost)}."
    return Layout(layout.train, layout.test, layout.class_names, (*layout.notes, said))


def listed(paths: Sequence[Parts]) -> str:
    """Names some files and counts the others.

    Args:
        paths: of the files.
    """
    more = f" and {len(paths) - TOLD:,} more" if len(paths) > TOLD else ""
    return ", ".join("/".join(path) for path in paths[:TOLD]) + more
