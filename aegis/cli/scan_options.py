"""Options of ``aegis scan`` that set how a scan goes."""

from __future__ import annotations

from typing import Annotated

from aegis.cli.options import MORE, choice, flag, number, option
from aegis.detect.embed import EMBEDDERS
from aegis.records.presets import PRESETS
from aegis.services.references import MODES

INSTEAD = "Instead of the preset's settings"

Classes = Annotated[
    str | None, option("--classes", "7,3", "Test these classes only, by label or name; then no model is called clean.")
]
Preset = Annotated[
    str,
    choice(
        "--preset",
        PRESETS,
        "default looks for a trigger and tries it out; paper counts clusters, as published; quick is default with "
        "fewer images.",
    ),
]
Epsilon = Annotated[
    float | None,
    number("--epsilon", "E", "How far an image may be changed on its way into a class (L2 norm).", INSTEAD),
]
Step = Annotated[float | None, number("--step", "S", "Length of one step of that way.", INSTEAD)]
Iterations = Annotated[int | None, option("--iterations", "N", "Its steps.", INSTEAD)]
Seeds = Annotated[int | None, option("--seeds", "M", "Images translated into each class.", INSTEAD)]
Bandwidth = Annotated[
    float | None,
    number(
        "--bandwidth",
        "B",
        "Radius within which mean shift takes points for one cluster. Without it, computed from the points.",
        INSTEAD,
    ),
]
Perplexity = Annotated[
    float | None, number("--perplexity", "P", "About how many neighbours a point keeps in the plane (t-SNE).", INSTEAD)
]
Embedding = Annotated[str | None, choice("--embedding", EMBEDDERS, "How features become points in the plane.", INSTEAD)]
Control = Annotated[
    bool,
    flag(
        "--control",
        "Also plant a small trigger in a copy of the model and scan the copy: would it have been seen?",
        MORE,
    ),
]
ReferencesMode = Annotated[
    str,
    choice(
        "--references",
        MODES,
        "Compare with benign models of the same data (aegis reference): where there are any, always, or never.",
        MORE,
    ),
]
Fresh = Annotated[bool, flag("--fresh", "Compute everything anew, whatever is stored.", MORE)]
TriageOption = Annotated[
    bool,
    flag(
        "--triage",
        "Rank all classes by something quick and examine the likeliest first, until one is flagged. What is left out "
        "is never called clean; the same command goes on.",
        MORE,
    ),
]
Budget = Annotated[
    str | None,
    option("--budget", "TIME", "With --triage: begin no class after so long, such as 90s, 10m or 2h.", MORE),
]
