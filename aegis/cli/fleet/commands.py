"""The commands of ``aegis fleet``."""

from collections.abc import Callable

from aegis.cli.fleet.scan import scan_fleet
from aegis.cli.fleet.status import cancel_fleet, show_fleets

FLEET: dict[str, Callable[..., None]] = {"scan": scan_fleet, "status": show_fleets, "cancel": cancel_fleet}
