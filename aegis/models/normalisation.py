"""Brings a normalisation that was given for pixels from 0 to 255 to pixels from 0 to 1."""

from __future__ import annotations

from aegis.core.errors import CheckpointError

Values = tuple[float, ...]

# A larger mean is one of pixels from 0 to 255.
LARGEST = 1.5
WHITE = 255.0
DIVIDED = "mean and std were given for pixels from 0 to 255, and are divided by 255"


def for_unit_pixels(mean: Values | None, std: Values | None) -> tuple[Values | None, Values | None, tuple[str, ...]]:
    """Divides mean and standard deviation where they belong to pixels from 0 to 255.

    Args:
        mean, std: by channel, or None.

    Returns:
        Both for pixels from 0 to 1, and what a user should know, a part of a sentence.

    Raises:
        CheckpointError: if one is for pixels from 0 to 255 and the other is not.
    """
    if mean is None or max(map(abs, mean)) <= LARGEST:
        return mean, std, ()
    spread = std or (1.0,)
    # Networks that only subtract a mean leave pixels as wide as they are.
    if max(spread) <= LARGEST and set(spread) != {1.0}:
        raise CheckpointError(
            "mean and std of the same pixels",
            f"a mean of {max(mean):g} with a std of {max(spread):g}",
            "Give both for pixels from 0 to 1, or both for pixels from 0 to 255.",
        )
    return tuple(value / WHITE for value in mean), tuple(value / WHITE for value in spread), (DIVIDED,)
