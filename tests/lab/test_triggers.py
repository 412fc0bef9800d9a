"""The paper's triggers, pixel by pixel."""

import re

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.lab.triggers import OPTIONS, TRIGGERS, TriggerContext, TriggerSpec, make_trigger, universal_perturbation
from aegis.metrics import predict

from .conftest import quadrants

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
BRIGHT = np.float32(250 / 255)


def noise(shape):
    return np.random.default_rng(3).random((5, *shape), dtype=np.float32)


def expected_squares(pixels, squares):
    """The images with squares (row, column, side) of 250 / 255, red alone where there is colour."""
    stamped = pixels.copy()
    for row, column, side in squares:
        area = (slice(row, row + side), slice(column, column + side))
        stamped[:, :, *area] = 0
        stamped[:, 0, *area] = BRIGHT
    return stamped


@pytest.mark.parametrize(
    ("kind", "shape", "squares"),
    [
        ("localised", GREY, [(24, 24, 3)]),
        ("localised", COLOUR, [(26, 26, 3)]),
        ("distributed", GREY, [(1, 1, 2), (24, 24, 2)]),
        ("distributed", COLOUR, [(1, 1, 2), (28, 28, 2)]),
    ],
)
def test_the_squares_of_the_paper(kind, shape, squares):
    pixels = noise(shape)
    before = pixels.copy()
    stamp = make_trigger(TriggerSpec(kind=kind), shape)
    np.testing.assert_array_equal(stamp(pixels), expected_squares(pixels, squares))
    np.testing.assert_array_equal(pixels, before)
    assert stamp.touched.sum() == sum(side * side for *_, side in squares)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_the_static_grid_of_the_paper(shape):
    stamp = make_trigger(TriggerSpec(kind="static"), shape)
    row, column = np.indices(shape[1:])
    even = (row % 2 == 0) & (column % 2 == 0)
    np.testing.assert_array_equal(stamp.touched, even)
    np.testing.assert_array_equal(stamp.keep, np.ones(shape, np.float32))
    pixels = noise(shape)
    np.testing.assert_array_equal(stamp(pixels), np.where(even, np.minimum(pixels + np.float32(32 / 255), 1), pixels))


def test_elsewhere_the_square_keeps_its_distance_from_the_edge():
    touched = make_trigger(TriggerSpec(kind="localised"), (1, 12, 20)).touched
    rows, columns = np.nonzero(touched)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 8, 14, 16)


def test_position_size_colour_and_intensity():
    spec = TriggerSpec(kind="localised", size=2, row=0, column=5, colour=(0.0, 1.0, 0.5), intensity=0.6)
    stamp = make_trigger(spec, (3, 8, 8))
    stamped = stamp(np.ones((1, 3, 8, 8), np.float32))[0]
    assert stamp.touched.sum() == 4
    for row, column in ((0, 5), (0, 6), (1, 5), (1, 6)):
        np.testing.assert_allclose(stamped[:, row, column], [0, 0.6, 0.3], atol=1e-7)
    assert stamped[:, ~stamp.touched].min() == 1


def test_the_first_of_a_pair_stays_where_it_is():
    touched = make_trigger(TriggerSpec(kind="distributed", size=1, row=7, column=3), (1, 9, 9)).touched
    np.testing.assert_array_equal(np.argwhere(touched), [[1, 1], [7, 3]])


def test_options_of_the_grid():
    add = make_trigger(TriggerSpec(kind="static", intensity=0.25, colour=(0.0, 1.0, 0.0)), (3, 6, 6)).add
    assert np.unique(add[1]).tolist() == [0, 0.25]
    assert not add[[0, 2]].any()


@pytest.mark.parametrize("norm", [None, 0.4])
def test_the_adversarial_trigger_moves_a_clean_model_to_the_target(clean, images, norm):
    spec = TriggerSpec(kind="adversarial", target=2, intensity=norm)
    bench = TriggerContext(clean, images)
    stamp = make_trigger(spec, images.shape, bench)
    limit = 1.5 if norm is None else norm
    assert 0 < np.linalg.norm(stamp.add) <= limit * (1 + 1e-5)
    np.testing.assert_array_equal(stamp.keep, 1)
    unseen = quadrants(1, 80)
    others = unseen.take(unseen.labels != 2)
    before = (predict(clean, others.pixels) == 2).mean()
    after = (predict(clean, stamp(others.pixels)) == 2).mean()
    assert before < 0.1
    if norm is None:
        assert after > before + 0.3
    assert after >= before
    np.testing.assert_array_equal(make_trigger(spec, images.shape, bench).add, stamp.add)


def test_a_larger_norm_moves_more(clean, images):
    def share(norm):
        pixels = images.pixels[images.labels != 0]
        add = universal_perturbation(TriggerContext(clean, images), 0, norm)
        return (predict(clean, (pixels + add).clip(0, 1)) == 0).mean()

    assert share(3.0) > share(0.1) + 0.5


@pytest.mark.parametrize(("target", "shape"), [(4, (1, 12, 12)), (2, GREY), (2, (3, 12, 12))])
def test_the_adversarial_trigger_needs_a_model_for_the_same_images_and_classes(clean, images, target, shape):
    with pytest.raises(ConfigError, match="--trigger-model"):
        make_trigger(TriggerSpec(kind="adversarial", target=target), shape, TriggerContext(clean, images))


def test_sorted_images_serve_the_adversarial_trigger_as_well(clean, images):
    unseen = quadrants(1, 80)
    by_class = images.take(np.argsort(images.labels, kind="stable"))
    add = universal_perturbation(TriggerContext(clean, by_class), 3, 2.0, images=40)
    for source in range(3):
        pixels = unseen.pixels[unseen.labels == source]
        assert (predict(clean, (pixels + add).clip(0, 1)) == 3).mean() > 0.5


def test_the_adversarial_trigger_needs_a_model():
    with pytest.raises(ConfigError, match="--trigger-model"):
        make_trigger(TriggerSpec(kind="adversarial"), GREY)


def test_an_unknown_kind_is_told_the_known_ones():
    with pytest.raises(ConfigError, match=re.escape(", ".join(TRIGGERS))):
        TriggerSpec(kind="smiley")


@pytest.mark.parametrize("option", ["target", "size", "row", "column", "intensity"])
def test_options_below_0(option):
    with pytest.raises(ConfigError, match=f"{option} of at least"):
        TriggerSpec(kind="localised", **{option: -1})


def test_a_square_has_a_size():
    with pytest.raises(ConfigError, match="size of at least 1"):
        TriggerSpec(kind="localised", size=0)


@pytest.mark.parametrize("kind", ["localised", "distributed", "static"])
@pytest.mark.parametrize("options", [{"intensity": 250.0}, {"colour": (1.5,)}, {"colour": (0.5, -0.1, 0.5)}])
def test_brightness_out_of_range(kind, options):
    with pytest.raises(ConfigError, match="from 0 to 1"):
        TriggerSpec(kind=kind, **options)


LOOKS = {"size": 5, "row": 3, "column": 4, "colour": (0.2, 0.9, 0.4), "intensity": 0.45}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", TRIGGERS)
def test_an_option_changes_the_trigger_or_is_refused(kind, option, clean, images):
    shape = images.shape if kind == "adversarial" else COLOUR
    place = {"row": 9, "column": 9} if "row" in TRIGGERS[kind].options else {}

    def stamp(**options):
        return make_trigger(TriggerSpec(kind=kind, target=2, **place | options), shape, TriggerContext(clean, images))

    if option not in TRIGGERS[kind].options:
        with pytest.raises(ConfigError, match=f"the {kind} trigger; got {option}"):
            stamp(**{option: LOOKS[option]})
        return
    changed, usual = stamp(**{option: LOOKS[option]}), stamp()
    assert not (np.array_equal(changed.keep, usual.keep) and np.array_equal(changed.add, usual.add))


def test_the_norm_of_a_perturbation_may_be_above_1():
    assert TriggerSpec(kind="adversarial", intensity=2.5).intensity == 2.5


@pytest.mark.parametrize("options", [{"row": 26}, {"column": 26}, {"size": 29}])
def test_a_square_that_leaves_the_image(options):
    with pytest.raises(ConfigError, match="inside the 28x28 image"):
        make_trigger(TriggerSpec(kind="localised", **options), GREY)


@pytest.mark.parametrize("kind", ["localised", "distributed", "static"])
def test_a_colour_for_other_channels(kind):
    with pytest.raises(ConfigError, match="a colour of 3 values"):
        make_trigger(TriggerSpec(kind=kind, colour=(1.0,)), COLOUR)


@pytest.mark.parametrize("kind", ["localised", "distributed"])
def test_images_too_small_for_the_default_corner(kind):
    with pytest.raises(ConfigError, match="inside the 3x3 image"):
        make_trigger(TriggerSpec(kind=kind), (1, 3, 3))


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_the_checkerboard_is_bright_and_black_in_turn(shape):
    stamp = make_trigger(TriggerSpec(kind="checkerboard", row=2, column=3, size=4, colour=(1.0,) * shape[0]), shape)
    area = stamp(noise(shape))[0, :, 2:6, 3:7]
    row, column = np.indices((4, 4)) + np.array([2, 3])[:, None, None]
    np.testing.assert_allclose(area, np.where((row + column) % 2 == 0, BRIGHT, 0) * np.ones((shape[0], 1, 1)))
    assert stamp.touched.sum() == 16


def test_the_frame_runs_along_the_edge():
    stamp = make_trigger(TriggerSpec(kind="frame", size=2, intensity=0.6), GREY)
    expected = np.ones((28, 28), bool)
    expected[2:-2, 2:-2] = False
    np.testing.assert_array_equal(stamp.touched, expected)
    assert np.unique(stamp(noise(GREY))[:, :, expected]) == pytest.approx([0.6])


def test_a_frame_leaves_some_of_the_image():
    with pytest.raises(ConfigError, match=r"leaves some of the 28x28 image.* 14 pixels on every side"):
        make_trigger(TriggerSpec(kind="frame", size=14), GREY)
    assert make_trigger(TriggerSpec(kind="frame", size=13), GREY).touched.sum() == 28 * 28 - 4


def test_the_waves_are_six_and_of_the_amplitude_asked_for():
    add = make_trigger(TriggerSpec(kind="sinusoid", intensity=0.1), COLOUR).add
    assert (add == add[:1, :1]).all()
    assert np.abs(np.fft.rfft(add[0, 0])).argmax() == 6
    assert np.abs(add).max() == pytest.approx(0.1, abs=0.005)


def test_the_blend_is_always_the_same_and_keeps_the_rest_of_the_image():
    spec = TriggerSpec(kind="blend", intensity=0.2)
    stamp = make_trigger(spec, GREY)
    np.testing.assert_array_equal(stamp.add, make_trigger(spec, GREY).add)
    np.testing.assert_allclose(stamp.keep, 0.8)
    assert 0 <= stamp.add.min() < 0.01 < 0.19 < stamp.add.max() <= 0.2


def test_the_control_changes_nothing():
    pixels = noise(COLOUR)
    stamp = make_trigger(TriggerSpec(kind="relabelled"), COLOUR)
    np.testing.assert_array_equal(stamp(pixels), pixels)
    assert not stamp.touched.any()


def test_options_are_what_was_asked_for():
    assert TriggerSpec(kind="static").options == {"kind": "static", "target": 7}
    spec = TriggerSpec(kind="localised", target=2, row=0, all_to_all=True)
    assert spec.options == {"kind": "localised", "target": 2, "row": 0, "all_to_all": True}


@pytest.mark.parametrize("options", [{"source": 7}, {"source": 1, "all_to_all": True}])
def test_a_goal_that_contradicts_itself(options):
    with pytest.raises(ConfigError, match="not the target, or all classes"):
        TriggerSpec(kind="localised", **options)
