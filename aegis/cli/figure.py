"""``aegis figure``: figures of the paper, drawn from what is recorded here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from aegis.cli.experiment import ScaleOption, records_for
from aegis.cli.options import Results, Training, in_paper, labels, option, writable
from aegis.core.errors import ConfigError
from aegis.experiments.paper.catalogue import FIGURES
from aegis.lab.bank.record import RESULTS

Number = Annotated[str, in_paper(FIGURES, "a figure")]
Out = Annotated[
    Path | None,
    option("--out", "FILE", "Where to draw it: a name that ends in .png or .svg.", callback=writable("--out")),
]
Scan = Annotated[
    str | None, option("--scan", "DIGEST", "The scan to draw from, by the key that aegis history lists; its beginning.")
]
Classes = Annotated[str | None, option("--classes", "7,3", "Classes of the scan; without it, those of the paper.")]


def figure(
    number: Number,
    out: Out = None,
    scan: Scan = None,
    classes: Classes = None,
    scale: ScaleOption = None,
    training: Training = "quick",
    results: Results = RESULTS,
) -> None:
    """Draw a figure of the paper from what is recorded here.

    Examples:

        aegis figure 12
        aegis figure 17 --out sizes.svg
        aegis figure 12 --scale smoke
        aegis figure 6 --scan 3f2a9c --classes 7

    9 to 11: the triggers; 12 and 17: what Neural Cleanse says of each class (aegis bank rivals). 3 to 7 and 13 to 16
    show one scan, from what it left in AEGIS_STORE. With --scale, what 12 and 17 show is run first, as by aegis table;
    the others need no run. Without --out the file is called after the figure.
    """
    from aegis.cli.output import Printer, clean
    from aegis.core.files import whole_file
    from aegis.experiments.paper import needs
    from aegis.experiments.paper.catalogue import make_figure
    from aegis.experiments.paper.draw import ENDINGS, draw, ending_of

    path = out or Path(f"figure-{number}.png")
    if ending_of(path) not in ENDINGS:
        raise ConfigError("--out to end in .png or .svg", str(path), "Choose another name.")
    runs, told = needs.FIGURES.get(number, ()), Printer(stderr=True)
    records = records_for(f"Figure {number}", runs, scale, training, results, told)
    made = make_figure(number, records, scan, labels(classes, "--classes"))
    content = draw(made, ending_of(path))
    with whole_file(path) as file:
        file.write(content)
    printed = Printer()
    printed.say(clean(str(path), 4000), wrap=False)
    for remark in made.remarks:
        printed.note(remark)
