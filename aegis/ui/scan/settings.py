"""Settings of a scan in plain language, with presets."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aegis.core.parsing import whole_numbers
from aegis.core.text import numbered
from aegis.detect.embed import EMBEDDERS
from aegis.records.config import ScanConfig
from aegis.records.presets import preset
from aegis.records.wording import METHODS
from aegis.ui.order import Settings

# The presets themselves give the numbers.
PRESETS = {
    "default": "Translates {seeds} images into every class, looks for a trigger in what changed and tries it on other "
    "images. For a verdict that counts.",
    "quick": "The same with fewer images: {seeds} a class. For a first look.",
    "paper": "The published rule alone: counts clusters, tries no trigger. For comparison.",
}


def choose_settings(data: str | None, shape: tuple[int, int, int], class_names: tuple[str, ...] | None) -> Settings:
    """Shows the widgets that choose a preset and change its settings.

    Args:
        data: name of the images, or None.
        shape: of the images.
        class_names: None while they are not known.

    Raises:
        ConfigError: for a value out of range.
    """
    st.session_state.setdefault("scan_preset", "default")
    name = st.segmented_control(
        "Preset",
        list(PRESETS),
        required=True,
        key="scan_preset",
        format_func=str.capitalize,
        persist_state="session",
    )
    name = name if name in PRESETS else "default"
    base = preset(name, data, shape)
    st.caption(PRESETS[name].format(seeds=base.gather.seeds))
    labels = _choose_classes(class_names)
    with st.expander("More settings", icon=":material/tune:"):
        changes = _changes(base)
    return Settings(name, {key: value for key, value in changes.items() if value is not None}, labels)


def _choose_classes(class_names: tuple[str, ...] | None) -> tuple[int, ...] | None:
    tip = "Leave it empty to test every class. A model is never called clean while a class is untested."
    if class_names is None:
        return _typed_labels(
            st.text_input(
                "Classes", key="scan_labels", placeholder="All; or numbers: 3, 8", help=tip, persist_state="session"
            )
        )
    chosen = st.multiselect(
        "Classes",
        range(len(class_names)),
        key="scan_classes",
        format_func=lambda label: numbered(label, class_names[label]) if label < len(class_names) else "",
        placeholder="All classes",
        help=tip,
        persist_state="session",
    )
    known = tuple(sorted(label for label in chosen if label < len(class_names)))
    return None if len(known) in (0, len(class_names)) else known


def _typed_labels(text: str) -> tuple[int, ...] | None:
    if not text.strip():
        return None
    return tuple(sorted(whole_numbers(text, "numbers of classes with commas between", "3, 8")))


def _changes(base: ScanConfig) -> dict[str, Any]:
    gather, last = base.gather, base.gather.stages[-1]
    budgets = " then ".join(f"{stage.epsilon:g}" for stage in gather.stages)
    steps = " then ".join(str(stage.iterations) for stage in gather.stages)
    left, right = st.columns(2)
    with left:
        seeds = _number(
            "Images per class", "seeds", f"{gather.seeds}", 10, 5000, "How many images of other classes are turned "
            "into each class. More make clusters clearer and take longer.", 50,
        )  # fmt: skip
        epsilon = _number(
            "Epsilon", "epsilon", budgets, 0.01, 10_000.0, "How far an image may be changed on its way into a class, "
            "as an L2 norm. Setting it replaces the preset's budgets by this one.", 1.0,
        )  # fmt: skip
        iterations = _number(
            "Iterations", "iterations", steps, 1, 1000, "Steps on that way. Setting it replaces the preset's budgets "
            f"by one, of epsilon {last.epsilon:g} unless you set that too.", 1,
        )  # fmt: skip
        seed = _number(
            "Random seed", "seed", "0", 0, 2**31 - 1, "Which images are drawn. The same seed gives the same result.", 1
        )
    with right:
        bandwidth = _number(
            "Bandwidth", "bandwidth", "computed", 0.01, 1000.0, "Radius within which mean shift takes "
            "points for one cluster. It can be moved afterwards as well.", 0.5,
        )  # fmt: skip
        perplexity = _number(
            "Perplexity", "perplexity", f"{base.embed.perplexity:g}", 2.0, 500.0, "About how many neighbours a point "
            "keeps when features are drawn in the plane.", 5.0,
        )  # fmt: skip
        method = st.selectbox(
            "Embedding",
            list(EMBEDDERS),
            key="scan_method",
            format_func=lambda name: METHODS.get(name, name),
            help="How features of many dimensions become points in the plane. The paper uses t-SNE.",
            persist_state="session",
        )
    return {
        "seeds": seeds, "epsilon": epsilon, "iterations": iterations, "seed": seed, "bandwidth": bandwidth,
        "perplexity": perplexity, "method": None if method == base.embed.method else method,
    }  # fmt: skip


def _number(label: str, name: str, usual: str, low: float, high: float, tip: str, step: float) -> float | None:
    # Streamlit holds to these limits on the server too, unlike those of uploads.
    value: float | None = st.number_input(
        label,
        min_value=low,
        max_value=high,
        value=None,
        step=step,
        key=f"scan_{name}",
        placeholder=usual,
        help=tip,
        persist_state="session",
    )
    return value
