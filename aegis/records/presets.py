"""Presets of a scan, and settings of the user's own."""

from __future__ import annotations

from dataclasses import replace

from aegis.core.errors import ConfigError
from aegis.core.types import Stage
from aegis.records.config import GatherConfig, ScanConfig, TriggerSearchConfig, VerdictConfig

# Table 10 fixes epsilon; the steps and iterations are the authors', one pair per data set.
PAPER_STAGES = {
    "mnist": Stage(epsilon=100, step=0.25, iterations=75),
    "fashion_mnist": Stage(epsilon=100, step=1.5, iterations=75),
    "cifar10": Stage(epsilon=500, step=20, iterations=40),
}


def _default(data: str | None, shape: tuple[int, int, int]) -> ScanConfig:
    # Half of the paper's seeds: searches use no more, and the time is better spent on them.
    return ScanConfig(
        gather=GatherConfig(
            seeds=250, stages=(Stage(epsilon=3, step=0.5, iterations=8), Stage(epsilon=100, step=3.0, iterations=12))
        )
    )


def _quick(data: str | None, shape: tuple[int, int, int]) -> ScanConfig:
    config = _default(data, shape)
    search = TriggerSearchConfig(steps=25, source_screening_batch=2, refine_steps=15, held_out=20)
    return replace(config, gather=replace(config.gather, seeds=120, trigger_search=search))


def _paper(data: str | None, shape: tuple[int, int, int]) -> ScanConfig:
    name = (data or "").removeprefix("samples:")
    stage = PAPER_STAGES.get(name, PAPER_STAGES["cifar10" if shape[0] == 3 else "fashion_mnist"])
    return ScanConfig(
        gather=GatherConfig(stages=(stage,), components=150, trigger_search=None), verdict=VerdictConfig(rule="paper")
    )


PRESETS = {"default": _default, "paper": _paper, "quick": _quick}


def preset(name: str, data: str | None, shape: tuple[int, int, int]) -> ScanConfig:
    """Make the settings of a preset; only ``paper`` depends on the data set.

    Args:
        name: one of ``PRESETS``.
        data: name of the data set, or None.
        shape: channels, height and width of the images.

    Returns:
        The settings.

    Raises:
        ConfigError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"a preset among {', '.join(PRESETS)}", repr(name), "Choose one of them.")
    return PRESETS[name](data, shape)


def adjusted(
    config: ScanConfig,
    *,
    seed: int = 0,
    epsilon: float | None = None,
    step: float | None = None,
    iterations: int | None = None,
    seeds: int | None = None,
    bandwidth: float | None = None,
    perplexity: float | None = None,
    method: str | None = None,
) -> ScanConfig:
    """Replace settings of a preset; an epsilon, step or iterations makes translation a single budget.

    Args:
        config: the preset.
        seed: of every random draw, from 0 to 2**32 - 1.
        epsilon: L2 radius, above 0. None leaves this and every following setting as it is.
        step: length of a PGD step, above 0.
        iterations: PGD steps, at least 1.
        seeds: images translated per class, at least 10.
        bandwidth: radius of the mean-shift kernel, above 0.
        perplexity: of the embedding, at least 2.
        method: one of ``EMBEDDERS``.

    Returns:
        The settings.

    Raises:
        ConfigError: for a value out of range.
    """
    gather, embed, judge = replace(config.gather, seed=seed), replace(config.embed, seed=seed), config.judge
    if not epsilon is step is iterations is None:
        last = gather.stages[-1]
        radius = last.epsilon if epsilon is None else epsilon
        count = last.iterations if iterations is None else iterations
        length = min(last.step, 2.5 * radius / max(count, 1)) if step is None else step
        gather = replace(gather, stages=(replace(last, epsilon=radius, step=length, iterations=count),))
    if seeds is not None:
        gather = replace(gather, seeds=seeds)
    if perplexity is not None:
        embed = replace(embed, perplexity=perplexity)
    if method is not None:
        embed = replace(embed, method=method)
    if bandwidth is not None:
        judge = replace(judge, bandwidth=bandwidth)
    return replace(config, gather=gather, embed=embed, judge=judge)


def at_budget(config: ScanConfig, epsilon: float) -> ScanConfig:
    """Make settings that translate the same seeds at one other budget and search for no trigger.

    Args:
        config: the settings of the scan.
        epsilon: L2 radius, above 0.

    Returns:
        The settings.

    Raises:
        ConfigError: for a value out of range.
    """
    one = adjusted(config, seed=config.gather.seed, epsilon=epsilon)
    return replace(one, gather=replace(one.gather, trigger_search=None))
