"""A candidate trigger in words and pictures: benign images without and with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, Table

from aegis.core.types import CandidateTrigger, Dataset, as_8_bit
from aegis.records.pictures import SIDE, as_rgb, png, strip, trigger
from aegis.records.record import ClassRecord, TriggerRecord
from aegis.records.wording import describe_size, describe_whole, share_of
from aegis.report.layout import ACCENT, RULE, WIDTH, class_name, picture, table, text

SHOWN = 5
TILE, THUMB = 62.0, 27.0
LISTED = 60


def explain_candidate(found: ClassRecord, best: TriggerRecord, names: Sequence[str]) -> str:
    """Says the attack success rate of a candidate trigger on benign images.

    Args:
        found: the class the candidate leads to.
        best: the candidate.
        names: of all classes, in label order.

    Returns:
        Markup.
    """
    into = f"class {class_name(found.label, found.name, 40)}"
    share, of, _ = share_of(best.flip_rate).partition(" of")
    begin = f"With {describe_whole(best)} on them, the model classifies <b>{share}</b>{of} the held-out images"
    tried = f"It was tried on {best.images} images that the search never saw. {describe_size(best)}"
    if best.source is not None:
        source = class_name(best.source, names[best.source], 40)
        return f"{begin} of class {source} as {into}. {tried}"
    if best.destinations is not None:
        return f"{begin} of every class as another one, the same for each class; {into} is among them. {tried}"
    return f"{begin} of other classes as {into}, on average over these classes. {tried}"


def evidence_picture(found: ClassRecord, candidate: CandidateTrigger, data: Dataset | None) -> Flowable:
    """Shows a candidate with benign test images of other classes, each without and with it; alone without images.

    Args:
        found: the class it leads to; only where that is flagged, the candidate is called a trigger.
        candidate: with its stamp and flip rates.
        data: the scan's images, or None.
    """
    alone = trigger_alone(candidate, found.flagged)
    if data is None:
        missing = text("The benign images are not at hand, so it is shown alone.", "caption")
        return table([[alone, missing]], [TILE + 34, WIDTH - TILE - 34])
    sources = _spread(candidate, data)
    images = np.stack([data.test.pixels[np.flatnonzero(data.test.labels == k)[0]] for k in sources])
    stamped = candidate.shown(images)
    rows: list[list[Any]] = [
        [alone, text("benign image", "right")],
        ["", text(f"with the {_called(found.flagged)} on it", "right")],
    ]
    into = "another class" if candidate.family == "all-to-all" else class_name(found.label, found.name, 24)
    whole = "" if candidate.smallest is None else f" with the whole {_called(found.flagged)}"
    rows.append(["", text(f"called {into}{whole}", "right")])
    for k, benign, changed in zip(sources, images, stamped, strict=True):
        rows[0].append(picture(png(as_rgb(as_8_bit(benign))), height=TILE))
        rows[1].append(picture(png(as_rgb(as_8_bit(changed))), height=TILE))
        rows[2].append(
            text(
                f"<b>{candidate.flip_rates[k]:.0%}</b> of class<br/>{class_name(k, data.class_names[k], 24)}", "centred"
            )
        )
    widths = [TILE + 34, 62.0, *[(WIDTH - TILE - 96) / SHOWN] * len(sources)]
    middle, centre = ("VALIGN", (1, 0), (1, 1), "MIDDLE"), ("ALIGN", (2, 0), (-1, -1), "CENTER")
    return table(rows, widths, ("SPAN", (0, 0), (0, 2)), middle, centre, ("RIGHTPADDING", (2, 0), (-1, -1), 0))


def trigger_alone(candidate: CandidateTrigger, flagged: bool) -> list[Flowable]:
    """Shows a trigger by itself, with a legend.

    Args:
        candidate: the trigger.
        flagged: whether its class is; else it is called a candidate.
    """
    width = 1.3 * TILE
    return [
        picture(png(trigger(candidate)), height=width),
        table([[text(_legend(candidate, flagged), "cell")]], [width + 24]),
    ]


def _spread(candidate: CandidateTrigger, data: Dataset) -> list[int]:
    """Chooses source classes with test images, from the highest attack success rate to the lowest, evenly spread."""
    present = [k for k, rate in enumerate(candidate.flip_rates) if np.isfinite(rate) and (data.test.labels == k).any()]
    ordered = sorted(present, key=lambda k: (-candidate.flip_rates[k], k))
    chosen = np.unique(np.linspace(0, len(ordered) - 1, min(SHOWN, len(ordered))).round().astype(int))
    return [ordered[i] for i in chosen]


def flip_rows(
    found: ClassRecord,
    best: TriggerRecord,
    stamped: CandidateTrigger | None,
    data: Dataset | None,
    names: Sequence[str],
) -> Table:
    """Lists the source classes with their attack success rates, each with an image without and with the trigger.

    Args:
        found: the class the trigger leads to.
        best: the candidate as it is recorded.
        stamped: the same with its stamp, or None if it is gone.
        data: the scan's images, or None.
        names: of the classes; of many, only those that flip most are shown.
    """
    colour = ACCENT["infected" if found.flagged else "clean"]
    rates = [(k, rate) for k, rate in enumerate(best.flip_rates) if rate is not None]
    if len(rates) > LISTED:
        rates = sorted(rates, key=lambda pair: (-pair[1], pair[0]))[:LISTED]
    cells = [
        [
            text(class_name(k, names[k] if k < len(names) else str(k), 40), "cell"),
            _pair(k, stamped, data),
            *_bar(rate, colour),
        ]
        for k, rate in rates
    ]
    half = -(-len(cells) // 2)
    rows = [left + right for left, right in zip(cells[:half], [*cells[half:], *[[""] * 4] * half])]
    thumbs = 0.0 if stamped is None or data is None else 2 * THUMB + 12
    column = [WIDTH / 2 - 104 - thumbs, thumbs, 68.0, 36.0]
    return table(rows, column * 2, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"))


def _pair(k: int, stamped: CandidateTrigger | None, data: Dataset | None) -> Flowable | str:
    """A benign test image of a class, and the same with the trigger on it."""
    if stamped is None or data is None or not (own := np.flatnonzero(data.test.labels == k)).size:
        return ""
    benign = data.test.pixels[own[:1]]
    both = [as_rgb(as_8_bit(image[0])) for image in (benign, stamped.shown(benign))]
    return picture(png(strip(both, 2 * SIDE // 3), None), height=THUMB)


def _bar(rate: float, colour: str) -> list[Any]:
    width, height = 60.0, 7.0
    drawing = Drawing(width, height)
    drawing.add(Rect(0, 0, width, height, fillColor=RULE, strokeColor=None))
    share = min(max(rate, 0.0), 1.0)
    if share:  # a bar of no width would still leave a line
        drawing.add(Rect(0, 0, width * share, height, fillColor=HexColor(colour), strokeColor=None))
    return [drawing, text(f"{rate:.0%}", "cell")]


def _legend(candidate: CandidateTrigger, flagged: bool) -> str:
    title = f"<b>the {_called(flagged)}</b><br/>"
    part = "" if candidate.smallest is None else "its smallest part:<br/>"
    if candidate.family != "perturbation":
        touched = candidate.shown.touched
        return f"{title}{part}{int(touched.sum())} of {touched.size} pixels; blue: untouched"
    return f"{title}{part}a faint change everywhere, made visible: orange takes away, purple adds"


def _called(flagged: bool) -> str:
    return "trigger" if flagged else "candidate"
