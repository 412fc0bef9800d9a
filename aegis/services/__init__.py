"""Implements the use cases that the command line and the dashboard share.

>>> from pathlib import Path
>>> from aegis.records.record import read_record
>>> from aegis.services.report_inputs import find_images
>>> record = read_record(Path("results/scans/quick/default/mnist_localised-seed0.json.gz"))
>>> images, missing = find_images(record)
>>> images.name, missing
('samples:mnist', '')
"""
