"""Detects backdoors as others do, for comparison: each detector in a file, all with one contract.

>>> from aegis.baselines.catalogue import BASELINES
>>> list(BASELINES)
['nc', 'nc-pgd', 'mmbd']
>>> import numpy as np
>>> from aegis.baselines.outliers import anomaly_indices
>>> anomaly_indices(np.array([9, 10, 11, 2], np.float32)).astype(float).round(1).tolist()
[0.3, -0.3, -1.0, 5.1]
"""
