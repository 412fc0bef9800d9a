"""Interval bounds with known answers, and training on them."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from aegis.core.errors import ConfigError
from aegis.lab.certified import certified_loss, check_certifiable, logit_bounds
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.models.architectures import build
from aegis.models.classifier import Classifier

SHAPE = (1, 6, 6)
RECIPE = Recipe(
    epochs=20, batch=16, lr=0.1, schedule="one-cycle", weight_decay=0.0, norm="linf", epsilon=0.02, certified=True
)


def test_bounds_of_a_linear_network_are_exact():
    torch.manual_seed(0)
    linear = nn.Linear(36, 3)
    classifier = Classifier(nn.Sequential(nn.Flatten(), linear), SHAPE, (0.4,), (0.2,))
    x = 0.3 + 0.4 * torch.rand(5, *SHAPE)
    lower, upper = logit_bounds(classifier, x, 0.1)
    # The worst change of every pixel is the whole budget, in the direction of its weight's sign.
    reach = 0.1 * linear.weight.abs().sum(1) / 0.2
    torch.testing.assert_close(lower, classifier(x) - reach)
    torch.testing.assert_close(upper, classifier(x) + reach)

    # Changed images stay images: beyond white there is nothing.
    for ours, theirs in zip(
        logit_bounds(classifier, torch.ones(1, *SHAPE), 0.1),
        logit_bounds(classifier, torch.full((1, *SHAPE), 0.95), 0.05),
    ):
        torch.testing.assert_close(ours, theirs)


def test_nothing_within_the_budget_leaves_the_bounds():
    torch.manual_seed(1)
    classifier = Classifier(build("aegis:strided,width=4,deep=1", 3, 5), (3, 12, 12), (0.5,) * 3, (0.25,) * 3)
    x = torch.rand(1, 3, 12, 12)
    lower, upper = logit_bounds(classifier, x, 0.03)
    changed = (x + 0.03 * torch.randn(200, 3, 12, 12).sign()).clamp(0, 1)
    logits = classifier.logits(changed)
    assert (logits >= lower - 1e-5).all()
    assert (logits <= upper + 1e-5).all()


def test_the_loss_grows_from_the_clean_one_to_half_of_each():
    classifier = Classifier(build("aegis:strided,width=4", 1, 4), (1, 12, 12))
    x, y = torch.rand(8, 1, 12, 12), torch.arange(8) % 4
    clean = nn.functional.cross_entropy(classifier(x), y)
    torch.testing.assert_close(certified_loss(classifier, x, y, 0.1, 0.0), clean)
    lower, upper = logit_bounds(classifier, x, 0.1)
    worst = nn.functional.cross_entropy(torch.where(nn.functional.one_hot(y, 4).bool(), lower, upper), y)
    for progress in (0.5, 1.0):
        torch.testing.assert_close(certified_loss(classifier, x, y, 0.1, progress), (clean + worst) / 2)


def test_training_on_bounds_certifies(data):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    classifier = Classifier(build("aegis:strided,width=4,grid=3", 1, 4), data.shape, (0.4,), (0.15,))
    train(classifier, data.train, RECIPE)
    x, y = torch.from_numpy(data.test.pixels), torch.from_numpy(data.test.labels)
    with torch.no_grad():
        lower, upper = logit_bounds(classifier, x, RECIPE.epsilon)
    worst = torch.where(nn.functional.one_hot(y, 4).bool(), lower, upper)
    assert (worst.argmax(1) == y).float().mean() > 0.9


@pytest.mark.parametrize(("name", "got"), [("cnn16", "BatchNorm2d"), ("preact", "Conv2d|PreActResNet|Sequential")])
def test_networks_that_it_is_not_made_for(data, name, got):
    network = build(f"aegis:{name},width=8", 1, 4)
    with pytest.raises(ConfigError, match=got):
        check_certifiable(network)
    with pytest.raises(ConfigError, match="Choose aegis:strided"):
        train(Classifier(network, data.shape), data.train, replace(RECIPE, epochs=1))
