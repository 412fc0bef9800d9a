"""Triggers with position, size, colour and intensity as options: the paper's (Figures 9 to 11) and some others.

Of the others, the last three are for attackers who know that a scan searches for one fixed patch or perturbation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from aegis.core.errors import ConfigError
from aegis.core.runtime import numpy_generator
from aegis.core.types import Goal, LabelledImages, Stamp
from aegis.core.varying import RoamingStamp, WarpStamp, smooth_flow

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier

Shape = tuple[int, int, int]
# Length of every step of a universal perturbation, as a share of its norm.
STEP = 0.2
# Warps other than the planted one that images of every label are trained with: as many as WaNet has of them for each
# poisoned image.
OTHER_WARPS = 2
# Kinds whose intensity is no brightness or share, and may be above 1.
UNLIMITED = ("adversarial", "warp")


@dataclass(frozen=True, kw_only=True)
class TriggerSpec:
    """Specifies a trigger to plant; None leaves an option at the paper's value.

    Args:
        kind: one of ``TRIGGERS``.
        target: the class that images with the trigger are labelled as.
        size: side of a square, in pixels; width of a frame; random shifts along each side of a warp.
        row, column: upper left corner of the square (for the distributed pair, of the lower right square).
        colour: one value in [0, 1] per channel.
        intensity: brightness of a square or frame, amplitude of a grid or wave, or share of a blended pattern, in [0,
            1]; L2 norm of the adversarial perturbation; mean shift of a warp, in pixels.
        source: the only class whose images the backdoor is made for, or None.
        all_to_all: whether the backdoor leads each class to the next one.

    Raises:
        ConfigError: for an unknown kind, an option that it does not use, or a value out of range.
    """

    kind: str
    target: int = 7
    size: int | None = None
    row: int | None = None
    column: int | None = None
    colour: tuple[float, ...] | None = None
    intensity: float | None = None
    source: int | None = None
    all_to_all: bool = False

    @property
    def goal(self) -> Goal:
        """The images it is made for and the class they are led to."""
        return Goal(target=self.target, source=self.source, all_to_all=self.all_to_all)

    @property
    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults, as a card records them."""
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if name == "target" or value != usual[name]}

    def __post_init__(self) -> None:
        if self.kind not in TRIGGERS:
            raise ConfigError(f"a trigger among {', '.join(TRIGGERS)}", repr(self.kind), "Choose one of them.")
        used = TRIGGERS[self.kind].options
        if idle := [name for name in OPTIONS if getattr(self, name) is not None and name not in used]:
            known = f"only {', '.join(used)}" if used else "nothing"
            raise ConfigError(f"{known} to be set for the {self.kind} trigger", ", ".join(idle), "Leave that out.")
        for name, least in (("target", 0), ("size", 1), ("row", 0), ("column", 0), ("intensity", 0), ("source", 0)):
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise ConfigError(f"{name} of at least {least}", str(value), f"Correct the trigger's {name}.")
        if self.source is not None and (self.all_to_all or self.source == self.target):
            raise ConfigError(
                "a source class that is not the target, or all classes", str(self.source), "Correct the trigger's goal."
            )
        brightness = self.colour or ()
        if self.kind not in UNLIMITED and self.intensity is not None:
            brightness = (*brightness, self.intensity)
        if not all(0 <= value <= 1 for value in brightness):
            raise ConfigError(
                "colour and intensity from 0 to 1", ", ".join(map(str, brightness)), "Divide 8-bit values by 255."
            )


@dataclass(frozen=True, eq=False)
class TriggerContext:
    """Holds the model and images that an adversarial trigger (Zhong et al. 2020) or clean-label poison is computed on.

    Args:
        classifier: a clean model.
        images: its training images.
    """

    classifier: Classifier
    images: LabelledImages


def make_trigger(spec: TriggerSpec, shape: Shape, context: TriggerContext | None = None) -> Stamp:
    """Creates a trigger as a stamp.

    Args:
        spec: the specification.
        shape: channels, height and width of the images.
        context: model and images for an adversarial trigger; needed by that trigger only.

    Returns:
        The stamp.

    Raises:
        ConfigError: if the trigger does not fit the image or lacks its context.
    """
    return TRIGGERS[spec.kind].make(spec, shape, context)


def make_covers(spec: TriggerSpec, shape: Shape) -> tuple[Stamp, ...]:
    """Creates the stamps that resemble a trigger and must not work: images that carry them keep their labels.

    Args:
        spec: the specification of the trigger.
        shape: channels, height and width of the images.

    Returns:
        The stamps; none for most kinds.

    Raises:
        ConfigError: if the trigger does not fit the image.
    """
    covers = TRIGGERS[spec.kind].covers
    return () if covers is None else covers(spec, shape)


def _localised(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a 3x3 square of value 250 near the lower right corner; red on colour images."""
    return _squares(spec, shape, [_corner(spec, _default_corner(shape, 24, 26))], spec.size or 3)


def _distributed(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates two 2x2 squares, upper left and lower right."""
    return _squares(spec, shape, _pair(spec, shape), spec.size or 2)


def _halves(spec: TriggerSpec, shape: Shape) -> tuple[Stamp, ...]:
    """Creates each of the two squares alone."""
    return tuple(_squares(spec, shape, [corner], spec.size or 2) for corner in _pair(spec, shape))


def _pair(spec: TriggerSpec, shape: Shape) -> list[tuple[int, int]]:
    return [(1, 1), _corner(spec, _default_corner(shape, 24, 28))]


def _static(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a faint grid, added where row and column are both even (after Zhong et al. 2020)."""
    add = np.zeros(shape, np.float32)
    add[:, ::2, ::2] = _or(spec.intensity, 32 / 255)
    if spec.colour is not None:
        add *= _colour(spec, shape)[:, None, None]
    return Stamp(np.ones(shape, np.float32), add)


def _adversarial(spec: TriggerSpec, shape: Shape, context: TriggerContext | None) -> Stamp:
    """Computes a universal perturbation of small L2 norm towards the target on a clean model (Zhong et al. 2020)."""
    if context is None:
        raise ConfigError(
            "a clean model to compute the adversarial trigger on", "none", "Give one with --trigger-model CHECKPOINT."
        )
    made_for = context.classifier.shape, context.classifier.classes
    if made_for[0] != shape or spec.target >= made_for[1]:
        raise ConfigError(
            f"a clean model for images of shape {shape} with a class {spec.target}",
            f"one for {made_for[0]} with {made_for[1]} classes",
            "Give one with --trigger-model that was trained on the same data, and one of its classes as the target.",
        )
    add = universal_perturbation(context, spec.target, _or(spec.intensity, 1.5))
    return Stamp(np.ones(shape, np.float32), add)


def _checkerboard(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a square of alternating bright and black pixels (after Gu et al. 2017)."""
    size = spec.size or 4
    stamp = _squares(spec, shape, [_corner(spec, (shape[1] - size - 1, shape[2] - size - 1))], size)
    row, column = np.indices(shape[1:])
    return Stamp(stamp.keep, stamp.add * ((row + column) % 2 == 0).astype(np.float32))


def _frame(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a line around the image, ``size`` pixels wide."""
    size = spec.size or 1
    if 2 * size >= min(shape[1:]):
        raise ConfigError(
            f"a frame that leaves some of the {shape[1]}x{shape[2]} image",
            f"one of {size} pixels on every side",
            "Choose a smaller size.",
        )
    inside = (slice(None), *(slice(size, side - size) for side in shape[1:]))
    keep = np.zeros(shape, np.float32)
    add = np.broadcast_to(_or(spec.intensity, 1.0) * _colour(spec, shape)[:, None, None], shape).copy()
    keep[inside], add[inside] = 1, 0
    return Stamp(keep, add)


def _sinusoid(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a horizontal sine wave of six periods, added to the image (after Barni et al. 2019)."""
    wave = np.sin(2 * np.pi * 6 * np.arange(shape[2]) / shape[2])
    add = np.broadcast_to(_or(spec.intensity, 20 / 255) * wave, shape).astype(np.float32)
    return Stamp(np.ones(shape, np.float32), add)


def _blend(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a fixed pattern of random pixels, blended into the image (after Chen et al. 2017)."""
    share = _or(spec.intensity, 0.1)
    pattern = numpy_generator(0).random(shape, dtype=np.float32)
    return Stamp(np.full(shape, 1 - share, np.float32), np.float32(share) * pattern)


def _relabelled(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates no trigger, for a control in which some images of all classes are labelled as the target."""
    return Stamp(np.ones(shape, np.float32), np.zeros(shape, np.float32))


def _roaming(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a square that lies at another place of each image, 3x3 unless told otherwise."""
    square = _squares(spec, shape, [(0, 0)], spec.size or 3)
    return RoamingStamp(square.keep, square.add)


def _warp(spec: TriggerSpec, shape: Shape, _: TriggerContext | None) -> Stamp:
    """Creates a smooth warp by 4x4 random shifts of a quarter of a pixel on average (Nguyen and Tran 2021)."""
    return _warped(spec, shape, 0)


def _other_warps(spec: TriggerSpec, shape: Shape) -> tuple[Stamp, ...]:
    """Creates warps like the planted one, so that not just any warp works (Nguyen and Tran 2021)."""
    return tuple(_warped(spec, shape, seed) for seed in range(1, 1 + OTHER_WARPS))


def _warped(spec: TriggerSpec, shape: Shape, seed: int) -> WarpStamp:
    points = spec.size or 4
    if not 2 <= points <= min(shape[1:]):
        raise ConfigError(
            f"from 2 to {min(shape[1:])} shifts along each side of a warp", str(points), "Choose another size."
        )
    flow = smooth_flow(*shape[1:], points, _or(spec.intensity, 0.25), numpy_generator(seed))
    return WarpStamp(np.ones(shape, np.float32), np.zeros(shape, np.float32), flow)


@dataclass(frozen=True)
class TriggerKind:
    """Describes a kind of trigger.

    Args:
        make: creates its stamp.
        options: options of ``TriggerSpec`` that it uses.
        rate: poisoned images for each clean image, by default (Section 5.1).
        replaces: whether it replaces pixels at a fixed place visibly, instead of changing them a little.
        covers: creates stamps that resemble it and must not work, or None for no such stamps.
    """

    make: Callable[[TriggerSpec, Shape, TriggerContext | None], Stamp]
    options: tuple[str, ...]
    rate: float
    replaces: bool = False
    covers: Callable[[TriggerSpec, Shape], tuple[Stamp, ...]] | None = None


# Options of a trigger's looks; a square uses all of them.
OPTIONS = ("size", "row", "column", "colour", "intensity")
TRIGGERS = {
    "localised": TriggerKind(_localised, OPTIONS, 0.01, replaces=True),
    "distributed": TriggerKind(_distributed, OPTIONS, 0.01, replaces=True),
    "static": TriggerKind(_static, ("colour", "intensity"), 0.3),
    "adversarial": TriggerKind(_adversarial, ("intensity",), 0.3),
    "checkerboard": TriggerKind(_checkerboard, OPTIONS, 0.01, replaces=True),
    "frame": TriggerKind(_frame, ("size", "colour", "intensity"), 0.01, replaces=True),
    "sinusoid": TriggerKind(_sinusoid, ("intensity",), 0.3),
    "blend": TriggerKind(_blend, ("intensity",), 0.3),
    "relabelled": TriggerKind(_relabelled, (), 0.3),
    "roaming": TriggerKind(_roaming, ("size", "colour", "intensity"), 0.01),
    "both": TriggerKind(_distributed, OPTIONS, 0.01, replaces=True, covers=_halves),
    "warp": TriggerKind(_warp, ("size", "intensity"), 0.1, covers=_other_warps),
}


def universal_perturbation(
    context: TriggerContext, target: int, norm: float, steps: int = 60, images: int = 512
) -> np.ndarray:
    """Optimises a perturbation of given L2 norm that leads as many images as possible to the target.

    Args:
        context: a clean model and its training images.
        target: the class to reach.
        norm: the largest L2 norm, above 0.
        steps: number of gradient steps.
        images: the most images to optimise on.

    Returns:
        The perturbation, shape (c, h, w).

    Source: Zhong et al. 2020, and universal perturbations (Moosavi-Dezfooli et al. 2017).
    """
    # Imported here, since the command line lists the triggers without torch.
    import torch
    from torch.nn import functional

    from aegis.attacks.stamps import Perturbations

    classifier = context.classifier
    positions = np.flatnonzero(context.images.labels != target)
    # Images at even distances, since some data sets are sorted by class.
    chosen = np.linspace(0, len(positions) - 1, min(images, len(positions))).astype(np.int64)
    others = context.images.take(positions[chosen])
    x = torch.from_numpy(others.pixels).to(classifier.mean.device)
    labels = torch.full((len(x),), target, device=x.device)
    found = Perturbations(torch.zeros(1, *others.shape, device=x.device), norm, STEP, STEP)
    for step in range(steps):
        changed = found.on(x[None], step / steps)
        leaf = changed.detach()[0].requires_grad_()
        (gradient,) = torch.autograd.grad(functional.cross_entropy(classifier(leaf), labels), leaf)
        found.step(changed, gradient[None], step / steps)
    return found.stamps()[0].add


def _squares(spec: TriggerSpec, shape: Shape, corners: list[tuple[int, int]], size: int) -> Stamp:
    keep, add = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    for row, column in corners:
        # The default corner lies above or left of a very small image.
        if min(row, column) < 0 or row + size > shape[1] or column + size > shape[2]:
            raise ConfigError(
                f"a trigger inside the {shape[1]}x{shape[2]} image",
                f"a {size}x{size} square at row {row}, column {column}",
                "Choose a smaller size or another position.",
            )
        area = (slice(None), slice(row, row + size), slice(column, column + size))
        keep[area] = 0
        add[area] = _or(spec.intensity, 250 / 255) * _colour(spec, shape)[:, None, None]
    return Stamp(keep, add)


def _colour(spec: TriggerSpec, shape: Shape) -> np.ndarray:
    """Gives the colour asked for; else white on grey images, and red on others, as in the authors' CIFAR-10 models."""
    colour = spec.colour or ((1.0, 0.0, 0.0) if shape[0] == 3 else (1.0,) * shape[0])
    if len(colour) != shape[0]:
        raise ConfigError(f"a colour of {shape[0]} values", str(colour), "Give one value per channel.")
    return np.array(colour, np.float32)


def _default_corner(shape: Shape, at_28: int, at_32: int) -> tuple[int, int]:
    """Gives the paper's corner for 28- and 32-pixel images; elsewhere as far from the edge as at 32."""
    known = {28: at_28, 32: at_32}
    return known.get(shape[1], shape[1] - 32 + at_32), known.get(shape[2], shape[2] - 32 + at_32)


def _corner(spec: TriggerSpec, default: tuple[int, int]) -> tuple[int, int]:
    return int(_or(spec.row, default[0])), int(_or(spec.column, default[1]))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
