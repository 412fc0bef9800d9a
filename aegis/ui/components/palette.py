"""Colours of charts and pictures: those of the dashboard's theme, so that there is one palette."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Int64

from aegis.ui.suspects import ROOT

# A cluster beyond the colours takes the next symbol: filled for translated images, open for training images.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")


@dataclass(frozen=True)
class Palette:
    """One palette in one light, as hex colours.

    Args:
        categories: apart for colour-blind eyes.
        text, muted, line, background: of what surrounds the data.
        more, less: the two ends of differences.
    """

    categories: tuple[str, ...]
    text: str
    muted: str
    line: str
    background: str
    more: str
    less: str

    def colour(self, number: int) -> str:
        """Chooses the colour of a category.

        Args:
            number: of the category, from 0; colours repeat.
        """
        return self.categories[number % len(self.categories)]

    def symbol(self, number: int) -> str:
        """Chooses the marker of a category; it changes where colours begin to repeat.

        Args:
            number: of the category, from 0.

        Returns:
            A name that plotly knows.
        """
        return SYMBOLS[number // len(self.categories) % len(SYMBOLS)]


@cache
def palette(light: str | None) -> Palette:
    """Chooses the palette of a theme.

    Args:
        light: ``dark``, or anything else for light.
    """
    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        theme = tomllib.load(file)["theme"]["dark" if light == "dark" else "light"]
    return Palette(
        categories=tuple(theme["chartCategoricalColors"]),
        text=theme["textColor"],
        muted=theme["grayColor"],
        line=theme["borderColor"],
        background=theme["backgroundColor"],
        more=theme["redColor"],
        less=theme["blueColor"],
    )


def keep_colours(old: Int64[np.ndarray, " p"], colours: Sequence[int], new: Int64[np.ndarray, " p"]) -> tuple[int, ...]:
    """Gives new clusters the colours of the old clusters that they share most points with.

    Pairs are matched from the largest overlap down, each cluster once; what is left takes unused numbers.

    Args:
        old: cluster of each point before, -1 for points left out.
        colours: colour number of each old cluster.
        new: cluster of each point now.

    Returns:
        A colour number for each new cluster.
    """
    both = (old >= 0) & (new >= 0)
    pairs, overlaps = np.unique(np.stack([new[both], old[both]]), axis=1, return_counts=True)
    kept: dict[int, int] = {}
    for i in np.argsort(-overlaps, kind="stable"):
        cluster, before = int(pairs[0, i]), int(pairs[1, i])
        if cluster not in kept and colours[before] not in kept.values():
            kept[cluster] = colours[before]
    free = (number for number in range(len(kept) + int(new.max()) + 2) if number not in kept.values())
    return tuple(kept[c] if c in kept else next(free) for c in range(int(new.max()) + 1))


def rgb(colour: str) -> tuple[int, int, int]:
    """Converts a hex colour.

    Args:
        colour: such as ``#1f77b4``.

    Returns:
        Red, green and blue, from 0 to 255.
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
