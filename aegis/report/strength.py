"""What the report says that a candidate trigger did: from the record alone."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.detect.record import ClassRecord, TransplantRecord
from aegis.detect.wording import describe_smallest, describe_whole
from aegis.report.layout import class_name


def did(found: ClassRecord, best: TransplantRecord, names: Sequence[str]) -> str:
    """Markup of what a candidate trigger did to honest images."""
    into = f"class {class_name(found.label, found.name, 40)}"
    what, least = describe_whole(best), describe_smallest(best)
    end = f" {least[0].upper()}{least[1:]}." if least else ""
    begin = f"{what[0].upper()}{what[1:]}, put on {best.images} images"
    rate = f"<b>{best.flip_rate:.0%}</b> of them"
    if best.source is not None:
        source = class_name(best.source, names[best.source], 40)
        return f"{begin} of class {source} that the search never saw, makes the model call {rate} {into}.{end}"
    if best.destinations is not None:
        return (
            f"{begin} of every class that the search never saw, makes the model call {rate} another class, "
            f"the same one for each, on average over the classes; {into} is among those they are called.{end}"
        )
    return (
        f"{begin} of other classes that the search never saw, makes the model call {rate} {into}, on average over "
        f"their classes.{end}"
    )
