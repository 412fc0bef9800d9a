"""How often networks of random weights are recognised: timm's, torchvision's and AEGIS's own families."""

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import timm
import torch
import torchvision
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.identify import Answer, recognise
from aegis.models.intake.sandbox import Contents
from aegis.models.intake.sandbox_output import Layout
from benchmarks.machine import describe

PREFIXES = ("", "module.", "model.", "net.", "_orig_mod.", "module.model.", "backbone.", "1.")
CLASSES = (2, 5, 10, 43, 100, 200, 1000)
# Larger networks say nothing else, and take long to make.
MOST_NUMBERS = 30_000_000
# Of AEGIS's own families: names, and options with the values they may take.
WIDTH = {"width": (4, 6, 8, 12)}
FAMILIES: dict[tuple[str, ...], dict[str, tuple[int, ...]]] = {
    ("cnn16", "cnn32", "resnet18", "resnet50", "plain", "preact", "wide"): WIDTH,
    ("vgg",): WIDTH | {"norm": (0, 1)},
    ("mlp",): {"width": (20, 50, 100)},
    ("vit",): {"width": (16, 32), "depth": (1, 2, 3)},
    ("lenet",): {},
    ("cifar_resnet18", "cifar_resnet34", "cifar_resnet50", "small_resnet18", "small_resnet50"): WIDTH,
    ("preact18", "preact34", "preact50"): WIDTH | {"norm": (0, 1)},
    ("cifar_resnet20",): WIDTH | {"blocks": (3, 5, 9)},
    ("wrn",): {"depth": (10, 16, 28, 34), "width": (1, 2, 4), "twice": (0, 1), "bias": (0, 1)},
    ("dm_wrn",): {"depth": (10, 16, 28), "width": (1, 2)},
    ("cifar_vgg11", "cifar_vgg13", "cifar_vgg16", "cifar_vgg19"): WIDTH,
    ("cifar_mobilenetv2",): {"width": (8, 16, 32)},
}


@dataclass(frozen=True)
class Sample:
    """A network to be recognised.

    Args:
        architecture: as for ``--arch``.
        channels, classes: of the network.
        prefix: before the names of its tensors.
    """

    architecture: str
    channels: int
    classes: int
    prefix: str


def main() -> None:
    """Draw networks, recognise each by its tensors alone, and print how often that is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes: Counter[tuple[str, bool, bool]] = Counter()
    seconds = []
    for sample in samples(arguments.count, random.Random(arguments.seed)):
        torch.manual_seed(arguments.seed)
        network = build(sample.architecture, sample.channels, sample.classes)
        tensors = {f"{sample.prefix}{name}": tensor for name, tensor in network.state_dict().items()}
        start = time.perf_counter()
        try:
            answer = recognise(Contents(tensors, None, "0" * 64, Layout()), None)
        except CheckpointError as error:
            print(f"{sample}: {error}")
            outcomes[_kind(sample), False, False] += 1
            continue
        seconds.append(time.perf_counter() - start)
        right = is_right(answer, sample, network.state_dict())
        outcomes[_kind(sample), right, answer.sure] += 1
        if not right:
            print(f"{sample}: {'sure' if answer.sure else 'not sure'}, {answer.best.architecture}; {answer.why}")
    print_outcomes(outcomes)
    print(f"{statistics.median(seconds):.2f} s each (median), seed {arguments.seed}; {describe()}")


def samples(count: int, draw: random.Random) -> Iterator[Sample]:
    """Draw networks without end: two of five AEGIS's own, two timm's, one torchvision's.

    Args:
        count: how many.
        draw: random numbers.
    """
    drawn: set[Sample] = set()
    families = [(name, options) for names, options in FAMILIES.items() for name in names]
    library = sorted(set(timm.list_models()))
    vision = torchvision.models.list_models(module=torchvision.models)
    while len(drawn) < count:
        turn = len(drawn) % 5
        channels, classes, prefix = draw.choice((1, 3)), draw.choice(CLASSES), draw.choice(PREFIXES)
        if turn < 2:
            name, options = draw.choice(families)
            chosen = [f"aegis:{name}", *(f"{option}={draw.choice(values)}" for option, values in options.items())]
            sample = Sample(",".join(chosen), channels, classes, prefix)
        else:
            name = f"timm:{draw.choice(library)}" if turn < 4 else f"torchvision:{draw.choice(vision)}"
            sample = Sample(name, 3, classes, prefix)
        if sample not in drawn and _is_small(sample):
            drawn.add(sample)
            yield sample


def _is_small(sample: Sample) -> bool:
    try:
        with torch.device("meta"):
            network = build(sample.architecture, sample.channels, sample.classes)
    # Some networks of the libraries cannot be built for other numbers of classes, or without memory.
    except (CheckpointError, RuntimeError, NotImplementedError):
        return False
    return sum(tensor.numel() for tensor in network.state_dict().values()) <= MOST_NUMBERS


def is_right(answer: Answer, sample: Sample, tensors: dict[str, Tensor]) -> bool:
    """Tell whether the likeliest architecture is the true one, or computes the same with these tensors.

    Args:
        answer: what was recognised.
        sample: the truth.
        tensors: of the network, without prefix.
    """
    best = answer.best
    if (best.proposal.channels, best.proposal.classes, best.fits) != (sample.channels, sample.classes, True):
        return False
    if best.architecture == sample.architecture:
        return True
    answers = []
    for architecture in (sample.architecture, best.architecture):
        network = build(architecture, sample.channels, sample.classes).eval()
        network.load_state_dict(tensors)
        side, draw = best.proposal.side, torch.Generator().manual_seed(0)
        pixels = torch.rand(2, sample.channels, side, side, generator=draw)
        with torch.inference_mode():
            answers.append(network(pixels))
    return torch.allclose(*answers, rtol=1e-4, atol=1e-5)


def print_outcomes(outcomes: Counter[tuple[str, bool, bool]]) -> None:
    """Print a row for each kind of network, and one for all.

    Args:
        outcomes: by kind, whether right, and whether sure.
    """
    print(f"{'':12} {'networks':>9} {'right':>7} {'sure':>7} {'right of sure':>14}")
    kinds = sorted({kind for kind, _, _ in outcomes})
    for title, chosen in [*((kind, {kind}) for kind in kinds), ("all", set(kinds))]:
        some = {key: n for key, n in outcomes.items() if key[0] in chosen}
        right = sum(n for (_, is_so, _), n in some.items() if is_so)
        sure = sum(n for (_, _, is_so), n in some.items() if is_so)
        both = sum(n for (_, is_so, also), n in some.items() if is_so and also)
        print(f"{title:12} {sum(some.values()):9} {right:7} {sure:7} {both:14}")


def _kind(sample: Sample) -> str:
    return sample.architecture.partition(":")[0]


if __name__ == "__main__":
    main()
