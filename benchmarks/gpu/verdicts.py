"""One suspect scanned on the CPU and on the GPU: the same verdict, and how long each takes."""

from aegis import load_checkpoint, scan
from aegis.core.runtime import choose_runtime
from aegis.records.presets import preset
from benchmarks.gpu.setting import SUSPECT, Setting

WORKERS = (16, 4, 1)
# How far a trigger's score may move between devices: a search takes another path after the first rounding.
NEAR = 0.15


def verdicts(setting: Setting) -> dict[str, object]:
    """Scan the suspect in every way of running.

    Args:
        setting: where checks run.

    Returns:
        Verdict, flagged classes, highest score of each class and seconds by step.
    """
    data, name = setting.data, "quick" if setting.small else "default"
    config = preset(name, data.name, data.shape)
    found: dict[str, object] = {}
    best = {}
    ways: list[tuple[str, int | None, str]] = [] if setting.brief else [("cpu", None, "auto")]
    ways += [(setting.device, workers, "auto") for workers in WORKERS[: setting.several(2 if setting.brief else 3, 1)]]
    ways += [(setting.device, WORKERS[0], "fp32")] * (not setting.small)
    for device, workers, precision in ways:
        runtime = choose_runtime(device, precision, workers)
        outcome = scan(load_checkpoint(SUSPECT), data, config, runtime=runtime).record(SUSPECT.name)
        scores = [max((t.score or 0 for t in one.triggers), default=0) for one in outcome.classes]
        way = f"{device} {runtime.precision} {runtime.workers} workers"
        found[way] = {
            "verdict": outcome.verdict,
            "flagged": outcome.flagged_classes,
            "scores": scores,
            "seconds": outcome.seconds,
        }
        best[way] = (outcome.verdict, outcome.flagged_classes, scores)
    first, *others = best.values()
    found["same verdict"] = all(other[:2] == first[:2] for other in others)
    flagged = first[1]
    found["scores of flagged classes near"] = all(
        abs(other[2][label] - first[2][label]) <= NEAR for other in others for label in flagged
    )
    return found
