"""The settings of a training on the Attack Lab page, with its trigger on images and what it costs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aegis.core.text import count_of, numbered, spoken
from aegis.core.types import Dataset
from aegis.data import DATASETS, SOURCES
from aegis.data.catalogue import SAMPLES
from aegis.services.training import TrainingPlan, expected_seconds, preview
from aegis.ui.caches import named_images
from aegis.ui.components.pictures import address, strip
from aegis.ui.components.widgets import title_of
from aegis.ui.suspects import BUNDLED

CLEAN = "none: a clean model"
# By the name of the trigger: what it looks like.
LOOKS = {
    "localised": "one small square in a corner",
    "distributed": "two small squares",
    "static": "a faint grid",
    "adversarial": "a small perturbation that fools a clean model",
    "checkerboard": "a small checkerboard",
    "frame": "a line around the image",
    "sinusoid": "faint waves",
    "blend": "a faint random pattern",
    "relabelled": "none, but false labels",
    "roaming": "a square at another place of each image",
    "both": "two squares that work only together",
    "warp": "a smooth warp",
}
ARCHITECTURES = ("aegis:cnn16", "aegis:cnn32", "aegis:resnet18,width=16", "aegis:resnet18")
SHOWN = 8
_STYLE = """<style>
.aegis-planted { display: flex; flex-direction: column; gap: .25rem; font-size: .875rem; max-width: 34rem; }
.aegis-planted img { width: 100%; image-rendering: pixelated; border-radius: .25rem; }
.aegis-planted span { opacity: .75; }
</style>"""


def choose_plan() -> TrainingPlan:
    """Shows the widgets that describe a training, with its trigger on images beside them.

    Returns:
        The training.

    Raises:
        AegisError: if the settings do not fit together.
    """
    left, right = st.columns([1, 1], gap="large")
    with left:
        data, kind = _choose_data(), _choose_kind()
        names = DATASETS[data.removeprefix(SAMPLES)].class_names
        target, source = (7, None) if kind is None else _choose_goal(names)
        is_robust = st.toggle(
            "Adversarially robust",
            value=True,
            key="lab_robust",
            help="Trained under attack, which AEGIS needs; a standard model is quicker, and shows why it does.",
            persist_state="session",
        )
        count, more = _choose_more(TrainingPlan(data=data, architecture="", kind=kind))
    with right:
        # Read here, since all images of a data set may take a while.
        with st.spinner("Reading the images"):
            images = named_images(data)
        clean_model = BUNDLED / f"{data.removeprefix(SAMPLES)}_clean.safetensors"
        plan = TrainingPlan(
            data=data,
            robust=is_robust,
            kind=kind,
            target=target,
            source=source,
            images=count if count and count < len(images.train) else None,
            clean_model=str(clean_model) if kind == "adversarial" else None,
            **more,
        )
        _show_preview(plan, images)
        _show_cost(plan, images)
    return plan


def _choose_data() -> str:
    data: str = st.selectbox(
        "Images",
        sorted(SOURCES, key=lambda name: not name.startswith(SAMPLES)),
        key="lab_data",
        format_func=title_of,
        help="A bundled sample trains in minutes; all images make a better model and may have to be downloaded.",
        persist_state="session",
    )
    return data


def _choose_kind() -> str | None:
    chosen: str = st.selectbox(
        "Trigger",
        [*LOOKS, CLEAN],
        key="lab_kind",
        format_func=lambda name: name if name == CLEAN else f"{name}: {LOOKS[name]}",
        help="What the attacker puts on images: those of the paper first, then others.",
        persist_state="session",
    )
    return None if chosen == CLEAN else chosen


def _choose_goal(names: tuple[str, ...]) -> tuple[int, int | None]:
    target_place, source_place = st.columns(2)
    target = target_place.selectbox(
        "Turns them into",
        range(len(names)),
        index=min(7, len(names) - 1),
        key="lab_target",
        format_func=lambda label: numbered(label, names[label]),
        persist_state="session",
    )
    source = source_place.selectbox(
        "Images of",
        range(len(names)),
        index=None,
        key="lab_source",
        placeholder="All classes",
        format_func=lambda label: numbered(label, names[label]),
        help="A backdoor for one class alone is harder to find.",
        persist_state="session",
    )
    return int(target), source


def _choose_more(usual: TrainingPlan) -> tuple[int | None, dict[str, Any]]:
    """Number of training images, and the rest by the names of ``TrainingPlan``; what is left open is as usual."""
    with st.expander("More settings", icon=":material/tune:"):
        architecture = st.selectbox("Architecture", ARCHITECTURES, key="lab_architecture", persist_state="session")
        left, right = st.columns(2)
        rate = left.number_input(
            "Poisoned images for each clean one",
            min_value=0.001,
            max_value=1.0,
            value=None,
            step=0.01,
            format="%.3f",
            key="lab_rate",
            placeholder=f"{usual.poison_rate:g}" if usual.kind else "",
            disabled=usual.kind is None,
            persist_state="session",
        )
        epochs = right.number_input(
            "Passes over the images",
            min_value=1,
            max_value=200,
            value=None,
            key="lab_epochs",
            placeholder=str(usual.recipe.epochs),
            persist_state="session",
        )
        count = left.number_input(
            "Training images", min_value=100, max_value=1_000_000, value=None, step=1000, key="lab_images",
            placeholder="All", help="So many of them, chosen at random.", persist_state="session",
        )  # fmt: skip
        seed = right.number_input(
            "Random seed", min_value=0, max_value=2**31 - 1, value=0, key="lab_seed", persist_state="session"
        )
    rate = None if usual.kind is None else rate
    return count, {"architecture": architecture, "rate": rate, "epochs": epochs, "seed": seed}


def _show_preview(plan: TrainingPlan, images: Dataset) -> None:
    shown = preview(plan, images.train, SHOWN)
    if plan.kind is None:
        st.markdown("**A clean model**, to compare with.")
        return
    names = images.class_names
    said = f"**Images with the trigger are labelled {numbered(plan.target, names[plan.target], 40)}.**"
    st.markdown(said.replace("$", "\\$"))
    if shown is None:
        st.caption("This trigger is computed on a clean model when the training starts.")
        return
    before, after = shown
    rows = (("As they are", before), ("With the trigger", after))
    drawn = "".join(
        f'<span>{title}</span><img src="{address(strip(some.pixels))}" alt="{len(some)} images: {title.lower()}">'
        for title, some in rows
        if len(some)
    )
    st.html(f'{_STYLE}<div class="aegis-planted">{drawn}</div>')


def _show_cost(plan: TrainingPlan, images: Dataset) -> None:
    count = plan.images or len(images.train)
    recipe = plan.recipe
    parts = [f"{count_of(recipe.epochs, 'pass')} over {count:,} images"]
    if plan.kind is not None:
        parts.append(f"{plan.poisoned(count):,} poisoned ones among them")
    if plan.robust:
        parts.append(f"each attacked in {recipe.iterations} steps")
    seconds = _seconds(plan.digest, images.digest, count, plan, images)
    st.caption(f"{', '.join(parts)}. Takes {spoken(seconds)} here.")


@st.cache_data(max_entries=64, show_spinner="Timing the network on this machine")
def _seconds(plan: str, images: str, count: int, _plan: TrainingPlan, _images: Dataset) -> float:
    return expected_seconds(_plan, _images.shape, len(_images.class_names), count, len(_images.test))
