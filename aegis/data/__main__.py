"""``AEGIS_DATA=FOLDER python -m aegis.data`` writes the bundled samples anew from the full data sets."""

from __future__ import annotations

import sys

from aegis.core.errors import DataError
from aegis.data.samples import write_samples

if __name__ == "__main__":
    try:
        write_samples()
    except DataError as error:
        sys.exit(str(error))
