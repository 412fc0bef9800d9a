"""Recognises the architecture of a network by the names and shapes of its tensors, without running anything of it.

Options of AEGIS's own architectures are read from the shapes (``own``); networks of torchvision and timm are looked up
in a table (``library``). What is proposed is built without memory and compared tensor by tensor (``fit``).
Architectures with the same tensors are run with them, and told apart by labelled images where there are any
(``alike``).
"""

from aegis.models.identify.answer import Answer as Answer
from aegis.models.identify.answer import identify as identify
from aegis.models.identify.answer import recognise as recognise
from aegis.models.identify.names import library_name as library_name
