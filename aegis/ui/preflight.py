"""Finds before a scan what would end it soon after it begins; no Streamlit here, and torch is imported only inside.

It takes a second or two, and the queue may take hours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aegis.core.errors import ConfigError
from aegis.data import DATASETS
from aegis.ui.order import ChosenImages, ChosenSuspect, Settings, place, read_model
from aegis.ui.uploads import ImagesSummary, hidden

if TYPE_CHECKING:
    from aegis.services.normalisation import FirstLook


def try_model(suspect: ChosenSuspect, images: ChosenImages) -> FirstLook | None:
    """Loads the model and tries it on a few of the images.

    Args:
        suspect: the chosen model.
        images: the chosen images, of which only what is known of them is used.

    Returns:
        How right the model is; None where the images were not read, or tell nothing.

    Raises:
        AegisError: if model and images do not fit together.
    """
    from aegis.core.runtime import choose_runtime
    from aegis.services.normalisation import first_look

    known = images.summary or DATASETS[str(images.source)]
    # The images are not needed again, and may be large.
    order = place(suspect, replace(images, upload=None), Settings(), measure_only=True)
    try:
        with hidden(order.workspace):
            model = read_model(order, known.shape, known.class_names)
    finally:
        if order.workspace:
            order.workspace.remove()
    if images.summary is None:
        return None
    typed = suspect.mean is not None or suspect.std is not None
    return first_look(model, images.summary.few, choose_runtime(), typed=typed)


def check_settings(images: ChosenImages, settings: Settings) -> None:
    """Checks that there are the classes that are to be tested, and enough images of each.

    Args:
        images: the chosen images.
        settings: the chosen settings.

    Raises:
        AegisError: if images and settings do not fit together.
    """
    known = images.summary or DATASETS[str(images.source)]
    _check_classes(settings, len(known.class_names))
    if images.summary is not None:
        _check_counts(images.summary, settings)


def _check_classes(settings: Settings, classes: int) -> None:
    unknown = [label for label in settings.labels or () if label >= classes]
    if unknown:
        raise ConfigError(f"classes from 0 to {classes - 1}", ", ".join(map(str, unknown)), "Correct --classes.")


def _check_counts(summary: ImagesSummary, settings: Settings) -> None:
    from aegis.detect.embed import check_points

    config, total = settings.config(None, summary.shape), sum(summary.train)
    for label in settings.labels or range(len(summary.class_names)):
        own = summary.train[label]
        check_points(sum(min(n, config.gather.seeds) for n in (own, total - own)), label, config.embed)
