"""Images x steps per second of targeted L2 PGD, beside torchattacks on the same model, in one run.

    python -m benchmarks.pgd [--threads 2] [--rounds 7]

Each round times every contender once, in turn, so that a change of the machine's speed meets all of them; what
counts is the median of the ratios within rounds.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from aegis import load_checkpoint, load_dataset
from aegis.attacks.pgd import pgd
from aegis.core.runtime import Runtime, choose_runtime
from aegis.core.types import Stage
from aegis.models.classifier import Classifier
from benchmarks.machine import describe

MODEL = Path("assets/models/fashion_mnist_localised.safetensors")
IMAGES, BATCH = 500, 250
STAGE = Stage(epsilon=3.0, step=0.375, iterations=10)
TARGET = 7


def contenders() -> dict[str, Callable[[torch.Tensor, torch.Tensor], object]]:
    """List the ways of running the same attack: by torchattacks and each of ours.

    Returns:
        Attacks by name.
    """
    import torchattacks

    classifier = load_checkpoint(MODEL).classifier
    reference = torchattacks.PGDL2(
        classifier, eps=STAGE.epsilon, alpha=STAGE.step, steps=STAGE.iterations, random_start=False
    )
    reference.set_mode_targeted_by_label(quiet=True)

    def ours(model: Classifier) -> Callable[[torch.Tensor, torch.Tensor], object]:
        return lambda x, y: pgd(model, x, y, [STAGE], targeted=True)

    found = {"torchattacks": reference}
    for precision in ("fp32", "bf16") if choose_runtime("cpu").precision == "bf16" else ("fp32",):
        runtime = Runtime("cpu", precision)
        found[f"aegis {precision}"] = ours(classifier.frozen(runtime))
        found[f"aegis {precision}, not folded"] = ours(unfolded(classifier, runtime))
    return found


def unfolded(classifier: Classifier, runtime: Runtime) -> Classifier:
    """A copy as ``Classifier.frozen`` makes it, without merging batch norms: what merging gains shows beside it.

    Args:
        classifier: the model.
        runtime: device and precision.
    """
    plain = copy.deepcopy(classifier).eval().requires_grad_(False)
    plain.runtime = runtime
    plain.to(runtime.device)
    plain.network.to(runtime.dtype).to(memory_format=torch.channels_last)
    return plain


def measure(attack: Callable[[torch.Tensor, torch.Tensor], object], images: torch.Tensor) -> float:
    """Time an attack.

    Args:
        attack: takes images and labels.
        images: in [0, 1], shape (n, c, h, w).

    Returns:
        Images times steps a second.
    """
    labels = torch.full((len(images),), TARGET)
    start = time.perf_counter()
    for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        attack(x, y)
    return len(images) * STAGE.iterations / (time.perf_counter() - start)


def main() -> None:
    """Print the median rate of each contender and its median ratio to torchattacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    options, _ = parser.parse_known_args()
    torch.set_num_threads(options.threads)
    images = torch.from_numpy(load_dataset("samples:fashion_mnist").train.pixels[:IMAGES])
    attacks = contenders()
    for attack in attacks.values():
        measure(attack, images[:BATCH])
    rounds = [{name: measure(attack, images) for name, attack in attacks.items()} for _ in range(options.rounds)]
    print(f"PGD, {MODEL.stem}, {options.threads} threads, {options.rounds} rounds; {describe()}")
    for name in attacks:
        rates = [each[name] for each in rounds]
        ratios = [each[name] / each["torchattacks"] for each in rounds]
        print(
            f"  {name:<22} {statistics.median(rates):8.0f} images x steps/s"
            f"   {statistics.median(ratios):5.2f} x torchattacks ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
