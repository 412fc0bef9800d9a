"""Networks of published checkpoints, whose tensors bear exactly the names of the published files.

Written anew from the papers and from names and shapes in the files. Image size is free where the originals fix it by
the size of their last pooling.
"""

from aegis.models.published.table import PUBLISHED as PUBLISHED
