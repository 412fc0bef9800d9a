"""Saves results on disk and finds them again by a digest of everything they depend on.

>>> import tempfile
>>> from pathlib import Path
>>> from aegis.records.record import read_record
>>> from aegis.store.store import Store
>>> record = read_record(Path("results/scans/quick/default/mnist_clean-seed0.json.gz"))
>>> store = Store(Path(tempfile.mkdtemp()))
>>> store.keep_scan("0" * 64, record)
>>> store.find_scan("0" * 64).verdict
'clean'
"""
