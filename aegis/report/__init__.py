"""Writes a scan as a PDF; modules are imported one by one, because matplotlib takes seconds to load.

>>> from pathlib import Path
>>> from aegis.records.record import read_record
>>> from aegis.report.pdf import make_pdf
>>> record = read_record(Path("results/scans/quick/default/mnist_localised-seed0.json.gz"))
>>> make_pdf(record, findings={}, data=None)[:5]
b'%PDF-'
"""
