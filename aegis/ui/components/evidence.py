"""The trigger on a benign image, by source class, and beside benign models and triggers of other kinds."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from aegis.core.text import numbered, printable
from aegis.core.types import FAMILIES, CandidateTrigger, Dataset
from aegis.records.caveats import say_control, untested
from aegis.records.fitting import verdict_settings
from aegis.records.ranking import score_line, strongest_candidate
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord
from aegis.records.wording import describe_size, describe_whole, explain_score
from aegis.ui.components.palette import Palette, palette
from aegis.ui.components.pictures import address, as_picture, benign_image, trigger_picture
from aegis.ui.components.svg import draw_score
from aegis.ui.components.widgets import REASON, reason_of
from aegis.ui.uploads import UPLOADED

# Address and caption of a picture.
Figure = tuple[str, str]
# Number of source classes listed, those with the highest rates.
LISTED = 20
# Characters of the verdict's sentence.
SENTENCE = 2000
_STYLE = """<style>
.aegis-trigger { display: flex; gap: .75rem; align-items: center; }
.aegis-trigger figure { margin: 0; flex: 0 1 10rem; } .aegis-trigger img { image-rendering: pixelated;
  border-radius: .375rem; width: 100%; display: block;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.aegis-trigger figcaption { font-size: .875rem; opacity: .75; padding-top: .25rem; white-space: nowrap; }
.aegis-trigger b { font-size: 1.75rem; font-weight: 400; opacity: .6; padding-bottom: 1.5rem; }
.aegis-line { width: 100%; display: block; }
.aegis-rates { display: grid; grid-template-columns: minmax(4rem, max-content) 1fr 3rem; gap: .25rem .75rem;
  align-items: center; font-size: .875rem; }
.aegis-rates span:nth-child(3n+1) { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 12rem; }
.aegis-rates span:nth-child(3n) { text-align: right; }
.aegis-kinds { width: 100%; border-collapse: collapse; font-size: .875rem; }
.aegis-kinds th, .aegis-kinds td { text-align: left; padding: .25rem .75rem .25rem 0; overflow-wrap: anywhere;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.aegis-kinds th { font-weight: 600; }
.aegis-rates i { display: block; height: .75rem; border-radius: .25rem; }
</style>"""


def show_trigger(record: ScanRecord, one: ClassRecord, trigger: CandidateTrigger, images: Dataset | None) -> None:
    """Shows a benign image, the trigger, and the image with it, and what they are.

    Args:
        record: of the scan.
        one: the class that it leads to, flagged or not.
        trigger: with its stamp.
        images: of the scan, or None.
    """
    shown = benign_image(images.test, trigger) if images else None
    st.html(_STYLE + _pictures(one, trigger, shown[0] if shown else None))
    if shown is None:
        _say_why_not(record, one, trigger, images)


def show_reasons(
    record: ScanRecord, one: ClassRecord, trigger: CandidateTrigger | None, images: Dataset | None
) -> None:
    """Shows how sure the verdict is: the numbers that it rests on, triggers of other kinds, and what was not tested.

    Args:
        record: of the scan.
        one: its strongest class, flagged or not.
        trigger: the strongest one of the class; None where there is none or the store has lost it.
        images: of the scan, or None.
    """
    with st.expander("How sure?", icon=":material/query_stats:", key="how-sure"):
        st.text(printable(record.sentence, SENTENCE))
        if not one.flagged:
            with st.container(gap=None):
                st.text(f"{numbered(one.label, one.name, 60)}: {printable(one.reason, REASON)}.")
            st.caption(
                "It comes closest to being flagged. What is done to any image of a robust model moves some of them; a "
                "backdoor moves nearly all that it is made for, with the same small change."
            )
        if trigger is None:
            _say_why_not(record, one, trigger, images)
        position = strongest_candidate(one)
        if position is not None:
            _show_numbers(record, one, one.triggers[position])
            st.caption("The strongest trigger of each kind, in any class")
            st.html(_kinds(record))
        if record.control is not None:
            st.text(say_control(record.control, record.data.class_names))
        st.markdown("**What was not tested**")
        for limit in untested(record):
            st.text(limit)


def _kinds(record: ScanRecord) -> str:
    rows = []
    for family in FAMILIES:
        found = [(t.flip_rate, one, t) for one in record.classes for t in one.triggers if t.family == family]
        if not found:
            continue
        rate, one, best = max(found, key=lambda each: (each[2].score_or_rate, each[0]))
        names = record.data.class_names
        source = "other classes" if best.source is None else numbered(best.source, names[best.source], 24)
        into = "another class" if family == "all-to-all" else numbered(one.label, one.name, 24)
        cells = (family.capitalize(), f"{source} → {into}", f"{rate:.0%}", "flagged" if one.flagged else "")
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Kind", "Leads", "Of unseen images", "Its class"))
    return f'<table class="aegis-kinds"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def show_pictures(
    record: ScanRecord, one: ClassRecord, trigger: CandidateTrigger | None, images: Dataset | None
) -> None:
    """Shows the strongest candidate of a class on a benign image, or alone where images are gone.

    Args:
        record: of the scan.
        one: the class, flagged or not.
        trigger: with its stamp; None where there is none or the store has lost it.
        images: of the scan, or None.
    """
    st.html(_STYLE)
    shown = benign_image(images.test, trigger) if images and trigger else None
    if trigger is not None:
        st.html(_pictures(one, trigger, shown[0] if shown else None))
    if trigger is None or shown is None:
        _say_why_not(record, one, trigger, images)
    st.text(reason_of(one))


def _say_why_not(
    record: ScanRecord, one: ClassRecord, trigger: CandidateTrigger | None, images: Dataset | None
) -> None:
    if not one.triggers:
        st.caption("With these settings no trigger was tried on other images.")
    elif trigger is None:
        st.caption("What was computed for this class is no longer in the store.")
    elif images is None:
        st.caption(
            "The images of this scan were uploaded and are gone: upload them again to see pictures."
            if record.data.name.startswith(UPLOADED)
            else "The images of this scan are no longer at hand, or have changed since."
        )


def _show_numbers(record: ScanRecord, one: ClassRecord, best: TriggerRecord) -> None:
    colours, whole = palette(st.context.theme.type), describe_whole(best)
    if best.smallest_rate is not None:
        # The picture and the number above are of its smallest part.
        whole = whole.replace("a ", "the whole ", 1)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.caption(
            f"Share of each class's unseen images that {whole} turns: {best.flip_rate:.0%} on average, of "
            f"{best.images} images. {describe_size(best)}"
        )
        st.html(_rates(record, one, best, colours))
    verdict = verdict_settings(record)
    line = score_line(one.label, best, verdict) if verdict else None
    if verdict is None or line is None or best.score is None or one.p_value is None:
        return
    benign, needed = line
    with right:
        st.caption("Its score among benign models")
        st.html(draw_score(benign, best.score, needed, one.flagged, colours))
        st.caption(explain_score(best.score, len(benign), needed, one.p_value, verdict))


def _rates(record: ScanRecord, one: ClassRecord, best: TriggerRecord, colours: Palette) -> str:
    """Bars as plain markup, which is there at once; a chart of plotly's would keep the page waiting."""
    colour = colours.categories[1 if one.flagged else 0]
    rates = [(k, rate) for k, rate in enumerate(best.flip_rates) if rate is not None]
    if len(rates) > LISTED:
        rates = sorted(rates, key=lambda pair: (-pair[1], pair[0]))[:LISTED]
    rows = []
    for k, rate in rates:
        name = html.escape(numbered(k, record.data.class_names[k], 24))
        into = "" if best.destinations is None else f" → {best.destinations[k]}"
        rows.append(
            f'<span>{name}{into}</span><span><i style="width:{max(rate, 0.005):.1%};background:{colour}"></i></span>'
            f"<span>{rate:.0%}</span>"
        )
    return f'<div class="aegis-rates">{"".join(rows)}</div>'


def _pictures(one: ClassRecord, trigger: CandidateTrigger, image: np.ndarray | None) -> str:
    """A benign image, the trigger, and the image with it; the trigger alone without an image."""
    alone = _drawn(trigger_picture(trigger)), "The trigger" if one.flagged else "Best candidate"
    if image is None:
        return f'<div class="aegis-trigger">{_figure(*alone)}</div>'
    return _equation((_drawn(image), "Benign image"), alone, (_drawn(trigger.shown(image[None])[0]), "With it"))


def _equation(benign: Figure, mark: Figure, changed: Figure) -> str:
    return f'<div class="aegis-trigger">{_figure(*benign)}<b>+</b>{_figure(*mark)}<b>=</b>{_figure(*changed)}</div>'


def show_equation(benign: Figure, mark: Figure, changed: Figure) -> None:
    """Shows three pictures in a row, as a sum.

    Args:
        benign, mark, changed: address and caption of each picture.
    """
    st.html(_STYLE + _equation(benign, mark, changed))


def _drawn(image: np.ndarray) -> str:
    return address(as_picture(image, 160))


def _figure(source: str, caption: str) -> str:
    said = html.escape(caption)
    return f'<figure><img src="{source}" alt="{said}"><figcaption>{said}</figcaption></figure>'
