"""Holds what every other package uses: errors, text, files, processes, and the types that steps pass on.

>>> import numpy as np
>>> from aegis.core.types import LabelledImages, Stamp
>>> images = LabelledImages(np.zeros((2, 1, 4, 4), np.float32), np.array([0, 1]), ("cat", "dog"))
>>> white = Stamp(keep=np.zeros((1, 4, 4), np.float32), add=np.ones((1, 4, 4), np.float32))
>>> float(white(images.pixels).min())
1.0
"""
