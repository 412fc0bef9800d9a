"""Holds the settings and the outcome of a scan as plain records, and puts both into words; needs no torch.

>>> from pathlib import Path
>>> from aegis.records.record import read_record
>>> record = read_record(Path("results/scans/quick/default/mnist_localised-seed0.json.gz"))
>>> record.verdict, record.flagged_classes
('infected', (7,))
"""
