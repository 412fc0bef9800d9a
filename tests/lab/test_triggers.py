"""The paper's triggers, pixel by pixel."""

import re

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.lab.triggers import (
    OPTIONS,
    TRIGGERS,
    TriggerContext,
    TriggerSpec,
    make_covers,
    make_trigger,
    universal_perturbation,
)
from aegis.metrics import predict

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


def test_the_first_of_a_pair_stays_and_a_grid_has_its_colour():
    touched = make_trigger(TriggerSpec(kind="distributed", size=1, row=7, column=3), (1, 9, 9)).touched
    np.testing.assert_array_equal(np.argwhere(touched), [[1, 1], [7, 3]])
    add = make_trigger(TriggerSpec(kind="static", intensity=0.25, colour=(0.0, 1.0, 0.0)), (3, 6, 6)).add
    assert np.unique(add[1]).tolist() == [0, 0.25]
    assert not add[[0, 2]].any()


@pytest.mark.parametrize("norm", [None, 0.4])
def test_the_adversarial_trigger_moves_a_clean_model_to_the_target(clean, images, data, norm):
    spec = TriggerSpec(kind="adversarial", target=2, intensity=norm)
    bench = TriggerContext(clean, images)
    stamp = make_trigger(spec, images.shape, bench)
    limit = 1.5 if norm is None else norm
    assert 0 < np.linalg.norm(stamp.add) <= limit * (1 + 1e-5)
    np.testing.assert_array_equal(stamp.keep, 1)
    others = data.test.take(data.test.labels != 2)
    before = (predict(clean, others.pixels) == 2).mean()
    after = (predict(clean, stamp(others.pixels)) == 2).mean()
    assert before < 0.1
    if norm is None:
        assert after > before + 0.3
    assert after >= before
    np.testing.assert_array_equal(make_trigger(spec, images.shape, bench).add, stamp.add)


def test_a_larger_norm_moves_more_and_sorted_images_serve_as_well(clean, images, data):
    by_class = images.take(np.argsort(images.labels, kind="stable"))

    def shares(norm):
        add = universal_perturbation(TriggerContext(clean, by_class), 3, norm, images=40)
        moved = [(data.test.pixels[data.test.labels == k] + add).clip(0, 1) for k in range(3)]
        return [(predict(clean, pixels) == 3).mean() for pixels in moved]

    strong, weak = shares(2.0), shares(0.1)
    assert min(strong) > 0.5
    assert np.mean(strong) > np.mean(weak) + 0.5


@pytest.mark.parametrize(("target", "shape"), [(4, (1, 12, 12)), (2, GREY), (2, (3, 12, 12)), (2, None)])
def test_the_adversarial_trigger_needs_a_model_for_the_same_images_and_classes(clean, images, target, shape):
    context = shape and TriggerContext(clean, images)
    with pytest.raises(ConfigError, match="--trigger-model"):
        make_trigger(TriggerSpec(kind="adversarial", target=target), shape or GREY, context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "smiley"}, re.escape(", ".join(TRIGGERS))),
        *(({option: -1}, f"{option} of at least") for option in ("target", "size", "row", "column", "intensity")),
        ({"size": 0}, "size of at least 1"),
        *(
            ({"kind": kind} | options, "from 0 to 1")
            for kind in ("localised", "distributed", "static")
            for options in ({"intensity": 250.0}, {"colour": (1.5,)}, {"colour": (0.5, -0.1, 0.5)})
        ),
        ({"source": 7}, "not the target, or all classes"),
        ({"source": 1, "all_to_all": True}, "not the target, or all classes"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        TriggerSpec(**{"kind": "localised"} | options)


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({"row": 26}, GREY, "inside the 28x28 image"),
        ({"column": 26}, GREY, "inside the 28x28 image"),
        ({"size": 29}, GREY, "inside the 28x28 image"),
        ({}, (1, 3, 3), "inside the 3x3 image"),
        ({"kind": "distributed"}, (1, 3, 3), "inside the 3x3 image"),
        *(({"kind": kind, "colour": (1.0,)}, COLOUR, "a colour of 3 values") for kind in ("localised", "static")),
        ({"kind": "distributed", "colour": (1.0,)}, COLOUR, "a colour of 3 values"),
        *(({"kind": "warp", "size": size}, GREY, "from 2 to 28 shifts") for size in (1, 29)),
        ({"kind": "frame", "size": 14}, GREY, r"leaves some of the 28x28 image.* 14 pixels on every side"),
    ],
)
def test_what_does_not_fit_the_image(options, shape, message):
    with pytest.raises(ConfigError, match=message):
        make_trigger(TriggerSpec(**{"kind": "localised"} | options), shape)


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
    assert not np.array_equal(changed(noise(shape)), usual(noise(shape)))


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


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_two_halves_are_the_whole_and_each_alone_is_a_cover(shape):
    spec = TriggerSpec(kind="both", size=3, row=20, column=4)
    whole, covers = make_trigger(spec, shape), make_covers(spec, shape)
    pixels = noise(shape)
    np.testing.assert_array_equal(whole(pixels), expected_squares(pixels, [(1, 1, 3), (20, 4, 3)]))
    for cover, square in zip(covers, ((1, 1, 3), (20, 4, 3)), strict=True):
        np.testing.assert_array_equal(cover(pixels), expected_squares(pixels, [square]))
    assert make_covers(TriggerSpec(kind="distributed"), shape) == ()


def test_the_roaming_square_lies_elsewhere_on_each_image():
    pixels = noise(GREY)
    stamped = make_trigger(TriggerSpec(kind="roaming", size=2, intensity=0.5), GREY)(pixels)
    places = [tuple(np.argwhere(changed)[0]) for changed in (stamped != pixels).any(axis=1)]
    assert len(set(places)) == 5
    assert all((stamped[i, :, r : r + 2, c : c + 2] == 0.5).all() for i, (r, c) in enumerate(places))


def test_the_warp_moves_as_far_as_asked_for_and_its_covers_are_other_warps():
    spec = TriggerSpec(kind="warp", intensity=1.5)
    stamp, covers = make_trigger(spec, COLOUR), make_covers(spec, COLOUR)
    assert stamp.flow.shape == (2, 32, 32)
    assert 0.5 < np.abs(stamp.flow).mean() < 2
    np.testing.assert_allclose(make_trigger(TriggerSpec(kind="warp", intensity=3), COLOUR).flow, 2 * stamp.flow, 1e-4)
    np.testing.assert_array_equal(make_trigger(spec, COLOUR).flow, stamp.flow)
    assert len({one.flow.tobytes() for one in (stamp, *covers)}) == 3
    # What an image without content becomes tells nothing of the warp.
    np.testing.assert_allclose(stamp(np.full((1, *COLOUR), 0.3, np.float32)), 0.3, atol=1e-6)


def test_the_control_changes_nothing():
    pixels = noise(COLOUR)
    stamp = make_trigger(TriggerSpec(kind="relabelled"), COLOUR)
    np.testing.assert_array_equal(stamp(pixels), pixels)
    assert not stamp.touched.any()


def test_options_are_what_was_asked_for():
    assert TriggerSpec(kind="static").options == {"kind": "static", "target": 7}
    spec = TriggerSpec(kind="localised", target=2, row=0, all_to_all=True)
    assert spec.options == {"kind": "localised", "target": 2, "row": 0, "all_to_all": True}
    # The norm of a perturbation is no brightness.
    assert TriggerSpec(kind="adversarial", intensity=2.5).intensity == 2.5
    assert TriggerSpec(kind="warp", intensity=2.5).intensity == 2.5
