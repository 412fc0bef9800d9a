"""The presets, the ranges of settings, and the paper's values."""

import pytest

from aegis.core.errors import ConfigError
from aegis.core.types import Stage
from aegis.records.config import EmbedConfig, GatherConfig, JudgeConfig, VerdictConfig
from aegis.records.presets import PAPER_STAGES, preset


@pytest.mark.parametrize(
    ("data", "shape", "epsilon", "name"),
    [
        ("mnist", (1, 28, 28), 100, "mnist"),
        ("samples:mnist", (1, 28, 28), 100, "mnist"),
        ("fashion_mnist", (1, 28, 28), 100, "fashion_mnist"),
        ("cifar10", (3, 32, 32), 500, "cifar10"),
        ("signs.npz", (3, 48, 48), 500, "cifar10"),
        (None, (1, 12, 12), 100, "fashion_mnist"),
    ],
)
def test_the_papers_preset_follows_table_10(data, shape, epsilon, name):
    config = preset("paper", data, shape)
    gather = config.gather
    assert gather.stages == (PAPER_STAGES[name],)
    assert (gather.stages[0].epsilon, gather.seeds, gather.components) == (epsilon, 500, 150)
    assert gather.trigger_search is None
    assert (config.embed.method, config.embed.perplexity) == ("tsne", 30)
    assert config.judge == JudgeConfig(bandwidth=None, quantile=0.3)
    assert config.verdict.rule == "paper"


@pytest.mark.parametrize("name", ["default", "quick"])
def test_the_other_presets_do_not_depend_on_the_data(name):
    config = preset(name, "mnist", (1, 28, 28))
    assert config == preset(name, None, (3, 32, 32))
    assert config.verdict.rule == "default"
    assert config.gather.trigger_search is not None
    budgets = [stage.epsilon for stage in config.gather.stages]
    assert budgets == sorted(budgets)


def test_quick_does_less_than_default():
    quick, default = (preset(name, None, (1, 28, 28)).gather for name in ("quick", "default"))
    assert quick.seeds < default.seeds <= 500
    assert quick.trigger_search.steps <= default.trigger_search.steps
    assert quick.trigger_search.held_out < default.trigger_search.held_out


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="default, paper, quick"):
        preset("slow", None, (1, 28, 28))


REFUSED = [
    (GatherConfig, "stages", [()]),
    (GatherConfig, "seeds", [9]),
    (GatherConfig, "components", [1, 151]),
    (GatherConfig, "seed", [-1, 2**32]),
    (EmbedConfig, "seed", [-1, 2**32]),
    (EmbedConfig, "perplexity", [1.9]),
    (JudgeConfig, "bandwidth", [0.0]),
    (JudgeConfig, "quantile", [0.0, 1.1]),
    (VerdictConfig, "source_quantile", [0.0, 1.1]),
    (VerdictConfig, "alpha", [0.0, 1.1]),
    (VerdictConfig, "min_score", [-0.1, 1.1]),
    (VerdictConfig, "min_accuracy", [-0.1, float("nan")]),
    (VerdictConfig, "min_half_radius", [-0.1]),
]


@pytest.mark.parametrize(("make", "name", "value"), [(m, name, v) for m, name, values in REFUSED for v in values])
def test_values_out_of_range_are_refused(make, name, value):
    with pytest.raises(ConfigError):
        make(**(given(make) | {name: value}))


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (GatherConfig, {"seeds": 10, "components": 2}),
        (GatherConfig, {"seed": 2**32 - 1, "components": 150}),
        (EmbedConfig, {"seed": 2**32 - 1, "perplexity": 2.0}),
        (VerdictConfig, {"rule": "paper", "source_quantile": 1.0, "alpha": 1.0, "min_score": 1.0, "min_accuracy": 1.0}),
        (VerdictConfig, {"min_score": 0.0, "min_accuracy": 0.0, "min_half_radius": 0.0, "nulls": ()}),
        (JudgeConfig, {"bandwidth": 0.1, "quantile": 1.0}),
    ],
)
def test_values_at_the_end_of_their_range_are_accepted(make, values):
    made = make(**(given(make) | values))
    assert all(getattr(made, name) == value for name, value in values.items())


def given(make):
    """What must be given to it."""
    return {"stages": (Stage(epsilon=1, step=1, iterations=1),)} if make is GatherConfig else {}
