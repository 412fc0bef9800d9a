"""Computes tables and figures of the paper and scans of the bank, from files in ``results``.

>>> from pathlib import Path
>>> from aegis.experiments.paper.table6 import detection, published
>>> from aegis.records.record import read_record
>>> scan = read_record(Path("results/scans/quick/default/mnist_localised-seed0.json.gz"))
>>> published("mnist", "localised").right("localised"), detection([scan], "localised").right("localised")
(True, True)
"""
