"""Runs the whole of AEGIS on the pretended device and on the processor, in a process of its own; prints what came."""

from __future__ import annotations

import json
import sys
from functools import cache

from tests.device.pretended import NAME, counted, install

KEPT = install()

import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

from aegis.attacks.patches import Patches  # noqa: E402
from aegis.attacks.pgd import pgd  # noqa: E402
from aegis.attacks.stamps import Start  # noqa: E402
from aegis.core.runtime import Runtime  # noqa: E402
from aegis.core.types import Dataset, Stage  # noqa: E402
from aegis.detect.optimise import Search  # noqa: E402
from aegis.detect.scan import scan  # noqa: E402
from aegis.experiments.control import positive_control  # noqa: E402
from aegis.lab.recipes import Recipe  # noqa: E402
from aegis.lab.train import train  # noqa: E402
from aegis.models.architectures import build  # noqa: E402
from aegis.models.classifier import Classifier  # noqa: E402
from aegis.models.load import Suspect  # noqa: E402
from tests.detect.test_scan import LIGHT  # noqa: E402
from tests.detect.toy import pictures, suspect_of  # noqa: E402

DATA = Dataset("waves", pictures(0, 60), pictures(1, 20))
SHAPE = DATA.shape


def network() -> Classifier:
    torch.manual_seed(0)
    return Classifier(build("aegis:cnn16,width=4", SHAPE[0], len(DATA.class_names)), SHAPE).eval()


def trained(device: str, epochs: int, augment: bool = False) -> Classifier:
    recipe = Recipe(
        epochs=epochs, batch=32, lr=0.1, schedule="one-cycle", epsilon=0.4, step=0.3, iterations=2, augment=augment
    )
    return train(network(), DATA.train, recipe, runtime=Runtime(device))


@cache
def robust() -> Suspect:
    return suspect_of(trained("cpu", 5))


def scans() -> dict[str, object]:
    """The same scan on both, at both precisions."""
    found, suspect = {}, robust()
    for precision in ("fp32", "bf16"):
        both = [
            scan(suspect, DATA, LIGHT, labels=[3], runtime=Runtime(device, precision, workers))
            for device, workers in (("cpu", 1), (NAME, 2))
        ]
        translated = [[one.finding.evidence.translated.astype(int) for one in result.classes] for result in both]
        furthest = max(int(abs(a - b).max()) for a, b in zip(*translated, strict=True))
        verdicts = [[result.verdict, *[c.record.flagged for c in result.classes]] for result in both]
        found[precision] = {
            "verdicts": verdicts,
            "grey levels apart": furthest,
            "ran on": [result.runtime.device for result in both],
        }
    return found


def training() -> dict[str, object]:
    """Robust training on both."""
    weights = []
    for device in ("cpu", NAME):
        classifier = trained(device, 1, augment=True)
        weights.append(torch.cat([one.detach().cpu().flatten() for one in classifier.parameters()]))
    return {"furthest weight": float((weights[0] - weights[1]).abs().max())}


def control() -> dict[str, object]:
    """The positive control of a scan."""
    record = positive_control(robust(), DATA, LIGHT, labels=[0], runtime=Runtime(NAME))
    return {"found": type(record).__name__}


def steps() -> dict[str, object]:
    """Operations and waits of a step of PGD and of a step of a search for patches."""
    frozen = network().frozen(Runtime(NAME))
    assert frozen.runtime.device == NAME
    images = torch.from_numpy(DATA.train.pixels[:16])
    labels = torch.zeros(16, dtype=torch.long)
    x, y = images.to(NAME), labels.to(NAME)

    def attack(iterations: int) -> None:
        pgd(frozen, x, y, [Stage(epsilon=1.0, step=0.2, iterations=iterations)], targeted=True)

    start = Start(images[0].numpy(), images[1].numpy(), "one")
    search = Search(frozen, x, y, 1, lambda *_: None)

    def refine(count: int) -> None:
        patches = Patches.at([start, start], 0.1, 0.4, search.seeds.device, [True, False])
        search.refine(patches, search.everyone, count, 8)

    return {"pgd": _a_step(attack), "patch": _a_step(refine)}


def _a_step(run) -> dict[str, float]:
    totals = []
    for count in (4, 8):
        counted.clear()
        run(count)
        totals.append(dict(counted))
    return {name: (totals[1].get(name, 0) - totals[0].get(name, 0)) / 4 for name in ("operations", "waits")}


def mistakes() -> dict[str, bool]:
    """Faults of the kinds that only a GPU shows: whether each was refused."""
    frozen = network().frozen(Runtime(NAME))
    images = torch.from_numpy(DATA.train.pixels[:4])
    x, y, here = images.to(NAME), torch.zeros(4, dtype=torch.long, device=NAME), torch.ones(4, 1, 1, 1)
    planted = {
        "images of the processor": lambda: frozen(images),
        "labels of the processor": lambda: functional.cross_entropy(frozen(x), y.cpu()),
        "a mean of the processor": lambda: (x - torch.zeros(1, 1, 1)) / torch.ones(1, 1, 1),
        "a mask of the processor": lambda: torch.where(here > 0, x, x),
        "noise of the processor": lambda: x + torch.rand(x.shape),
        "a budget for each image on the processor": lambda: x.clamp(max=here),
        "parts of both put together": lambda: torch.cat([x, images]),
        "parts of both stacked": lambda: torch.stack([x[0], images[0]]),
        "positions gathered on the processor": lambda: frozen(x).gather(1, torch.zeros(4, 1, dtype=torch.long)),
        "a linear layer of the processor": lambda: functional.linear(x.flatten(1), torch.zeros(3, x[0].numel())),
        "a kernel of the processor": lambda: functional.conv2d(x, torch.zeros(1, SHAPE[0], 3, 3)),
        "a copy that was forgotten": lambda: functional.mse_loss(frozen(x), torch.zeros(4, len(DATA.class_names))),
    }
    return {name: _refused(run) for name, run in planted.items()}


def _refused(run) -> bool:
    try:
        run()
    except RuntimeError:
        return True
    return False


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump({part.__name__: part() for part in (scans, training, control, steps, mistakes)}, sys.stdout)
