"""Detects backdoors: Algorithm 1 step by step, trigger inversion, and the verdict.

>>> from pathlib import Path
>>> from aegis.detect.verdict import judge_again
>>> from aegis.records.config import VerdictConfig
>>> from aegis.records.record import read_record
>>> record = read_record(Path("results/scans/quick/default/mnist_localised-seed0.json.gz"))
>>> judge_again(record, VerdictConfig(alpha=0.1)).verdict
'infected'
"""
