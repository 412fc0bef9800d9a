"""Projected gradient descent: on a linear model the best image is known, and torchattacks is the oracle elsewhere."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from aegis.attacks.pgd import pgd, project
from aegis.core.runtime import Cancelled, torch_generator
from aegis.core.types import Stage

NORMS = ("l2", "linf")
SHAPE = (2, 5, 5)


@pytest.fixture
def linear():
    """Two classes; the loss rises and falls along one direction, w."""
    return nn.Sequential(nn.Flatten(), nn.Linear(50, 2)).eval()


@pytest.fixture
def conv():
    layers = nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3)
    return nn.Sequential(*layers).eval()


def middle(n=4):
    """Images far enough from 0 and 1 that only the ball binds."""
    return 0.4 + 0.2 * torch.rand(n, *SHAPE, generator=torch_generator(1))


def lengths(change, norm):
    flat = change.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def loss(model, images, labels):
    with torch.no_grad():
        return functional.cross_entropy(model(images), labels, reduction="none")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("targeted", [False, True])
def test_on_a_linear_model_the_best_image_of_the_ball_is_found(linear, norm, targeted):
    x, y = middle(), torch.tensor([0, 1, 0, 1])
    w = (linear[1].weight[1] - linear[1].weight[0]).detach().view(1, *SHAPE)
    # Towards class 1 along w, towards class 0 against it.
    towards_one = ((y == 1) == targeted).view(-1, 1, 1, 1) * 2.0 - 1.0
    direction = towards_one * (w.sign() if norm == "linf" else w / w.norm())
    (found,) = pgd(linear, x, y, [Stage(epsilon=0.2, step=0.05, iterations=10)], norm=norm, targeted=targeted)
    torch.testing.assert_close(found, x + 0.2 * direction, atol=1e-5, rtol=0)
    # A ball that is not reached is walked towards in steps of the given length.
    (found,) = pgd(linear, x, y, [Stage(epsilon=1, step=0.02, iterations=3)], norm=norm, targeted=targeted)
    torch.testing.assert_close(lengths(found - x, norm), torch.full((4,), 0.06))


@pytest.mark.parametrize("norm", NORMS)
def test_growing_budgets_go_on_from_each_other_and_stay_in_their_balls(conv, norm):
    x, y = torch.rand(6, *SHAPE), torch.arange(6) % 3
    stages = [Stage(epsilon=e, step=e / 3, iterations=5) for e in (0.1, 0.3, 1.0)]
    snapshots = pgd(conv, x, y, stages, norm=norm, targeted=True)
    assert len(snapshots) == 3
    for stage, images in zip(stages, snapshots):
        assert (lengths(images - x, norm) <= stage.epsilon + 1e-5).all()
        assert images.min() >= 0
        assert images.max() <= 1
    torch.testing.assert_close(snapshots[0], pgd(conv, x, y, stages[:1], norm=norm, targeted=True)[0])
    # The second stage is one step further from where the first ended, not from the original.
    one_more = [stages[0], Stage(epsilon=0.3, step=0.01, iterations=1)]
    after = pgd(conv, x, y, one_more, norm=norm, targeted=True)[1]
    assert (lengths(after - snapshots[0], norm) <= 0.01 + 1e-5).all()
    losses = [loss(conv, images, y).mean() for images in (x, *snapshots)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("norm", NORMS)
def test_a_random_start_is_inside_the_ball_reproducible_and_random(norm):
    x, y = middle(32), torch.zeros(32, dtype=torch.long)
    seen = []

    def forward(images):
        seen.append(images.detach().clone())
        return images.flatten(1)[:, :2]

    def start(seed):
        seen.clear()
        stages = [Stage(epsilon=0.3, step=0.01, iterations=1)]
        pgd(forward, x, y, stages, norm=norm, random_start=True, generator=torch_generator(seed))
        return seen[0]

    away = lengths(start(0) - x, norm)
    assert away.max() <= 0.3 + 1e-6
    # In 50 dimensions nearly all of a ball is near its surface.
    assert away.min() > 0.2
    assert torch.equal(start(0), start(0))
    assert not torch.equal(start(0), start(1))


def bumpy(images):
    """A loss that oscillates, so that a long step often makes it worse."""
    bumps = torch.sin(40 * images.flatten(1).sum(1))
    return torch.stack([bumps, -bumps], 1)


@pytest.mark.parametrize("targeted", [False, True])
def test_keep_best_is_the_best_of_everything_met_in_a_stage(targeted):
    x, y = middle(), torch.tensor([0, 1, 0, 1])
    stages = [Stage(epsilon=0.2, step=0.05, iterations=4), Stage(epsilon=0.5, step=0.07, iterations=5)]
    keep = [x]
    found = pgd(bumpy, x, y, stages, targeted=targeted, keep_best=True, on_step=lambda *event: keep.append(event[2]))
    met = torch.stack([loss(bumpy, images, y) for images in keep])
    best = torch.amin if targeted else torch.amax
    # A stage begins with the image that the one before it ended with.
    for images, iterates in zip(found, (met[:5], met[4:])):
        torch.testing.assert_close(loss(bumpy, images, y), best(iterates, 0))
    assert not torch.equal(pgd(bumpy, x, y, stages, targeted=targeted)[1], found[1])


def test_on_step_is_told_every_step_and_may_stop(linear):
    x, y = middle(), torch.zeros(4, dtype=torch.long)
    stages = [Stage(epsilon=0.1, step=0.02, iterations=3), Stage(epsilon=0.2, step=0.02, iterations=4)]
    told = []
    found = pgd(linear, x, y, stages, on_step=lambda *event: told.append(event))
    assert [step for step, _, _ in told] == [1, 2, 3, 4, 5, 6, 7]
    for first, last, begun, ended in ((0, 2, x, found[0]), (3, 6, found[0], found[1])):
        assert torch.equal(told[last][2], ended)
        # The losses are those of the images the step began with.
        torch.testing.assert_close(told[first][1], loss(linear, begun, y))

    def stop(step, _, __):
        if step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pgd(linear, x, y, stages, on_step=stop)


def test_neither_weights_nor_images_are_touched_and_without_a_gradient_nothing_moves(conv):
    x, y = torch.rand(4, *SHAPE), torch.zeros(4, dtype=torch.long)
    before = x.clone(), [p.detach().clone() for p in conv.parameters()]
    (found,) = pgd(conv, x, y, [Stage(epsilon=1, step=0.1, iterations=3)], keep_best=True)
    assert torch.equal(x, before[0])
    assert not x.requires_grad
    assert not found.requires_grad
    assert all(p.grad is None and torch.equal(p, old) for p, old in zip(conv.parameters(), before[1]))
    (found,) = pgd(lambda x: 0 * x.flatten(1)[:, :2], x, y, [Stage(epsilon=1, step=0.1, iterations=3)])
    assert torch.equal(found, x)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("targeted", [False, True])
def test_torchattacks_finds_the_same_images(conv, norm, targeted):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchattacks
    x, labels = torch.rand(8, *SHAPE), (torch.arange(8) + targeted) % 3
    epsilon, step = (0.8, 0.15) if norm == "l2" else (0.08, 0.015)
    kind, extra = (torchattacks.PGDL2, {"eps_for_division": 1e-12}) if norm == "l2" else (torchattacks.PGD, {})
    attack = kind(conv, eps=epsilon, alpha=step, steps=12, random_start=False, **extra)
    attack.set_device("cpu")
    if targeted:
        attack.set_mode_targeted_by_label(quiet=True)
    (ours,) = pgd(conv, x, labels, [Stage(epsilon=epsilon, step=step, iterations=12)], norm=norm, targeted=targeted)
    torch.testing.assert_close(ours, attack(x, labels), atol=1e-5, rtol=0)
    assert (lengths(ours - x, norm) > epsilon / 4).all()


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(radius=st.floats(1e-3, 3), spread=st.floats(0.01, 5), norm=st.sampled_from(NORMS), seed=st.integers(0, 999))
def test_projection_is_inside_ball_and_range_and_leaves_alone_what_is(radius, spread, norm, seed):
    generator = torch_generator(seed)
    centre = torch.rand(3, *SHAPE, generator=generator)
    images = centre + spread * torch.randn(3, *SHAPE, generator=generator)
    once = project(images, centre, radius, norm)
    assert (lengths(once - centre, norm) <= radius * (1 + 1e-5) + 1e-6).all()
    assert once.min() >= 0
    assert once.max() <= 1
    torch.testing.assert_close(project(once, centre, radius, norm), once, atol=1e-6, rtol=1e-5)
    near = (centre + 0.01 * (images - centre) / spread).clamp(0, 1)
    torch.testing.assert_close(project(near, centre, 5.0, norm), near)
