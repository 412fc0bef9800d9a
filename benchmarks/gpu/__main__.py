"""Check and time AEGIS on one GPU; every check is written down as soon as it ends.

    AEGIS_DATA=FOLDER python -m benchmarks.gpu --out FILE.json [--only agreement,pgd] [--seconds 330]
    python -m benchmarks.gpu --device cpu --small        # tries the checks themselves, without a GPU

The training checks need the full data sets; all others run on what is bundled.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.agreement import agreement
from benchmarks.gpu.cost import gathers, large, profile
from benchmarks.gpu.rates import rates, training_rates
from benchmarks.gpu.setting import Setting, describe
from benchmarks.gpu.verdicts import verdicts

CHECKS: dict[str, Callable[[Setting], Any]] = {
    "agreement": agreement,
    "verdicts": verdicts,
    "gathers": gathers,
    "pgd": rates,
    "profile": profile,
    "training": training_rates,
    "large": large,
}


def main() -> None:
    """Run the checks in turn until they are through or the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a few images and steps, to try the checks themselves")
    parser.add_argument("--brief", action="store_true", help="without the slowest ways of running")
    parser.add_argument("--only", default=",".join(CHECKS))
    parser.add_argument("--seconds", type=float, default=330, help="no check begins later than this")
    options = parser.parse_args()
    setting = Setting(options.device, options.small, options.brief)
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("expected a CUDA device, got a machine without one; --device cpu --small tries the checks")
    start = time.perf_counter()
    found: dict[str, Any] = {"machine": describe(setting)}
    for name in options.only.split(","):
        began = time.perf_counter()
        try:
            late = began - start > options.seconds
            found[name] = {"skipped": "the time was up"} if late else CHECKS[name](setting)
        # One check that fails must not cost those after it: the machine may be lent for minutes only.
        except Exception as error:
            found[name] = {"failed": f"{type(error).__name__}: {error}", "where": traceback.format_exc()[-1500:]}
        found[name]["seconds"] = round(time.perf_counter() - began, 1)
        options.out.write_text(json.dumps(found, indent=1) + "\n")
        print(name, json.dumps(found[name]), flush=True)


if __name__ == "__main__":
    main()
