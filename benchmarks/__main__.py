"""``python -m benchmarks``: everything that is timed, each also on its own as ``python -m benchmarks.NAME``."""

from benchmarks import hostile, pages, pgd, scan

pgd.main()
scan.main()
pages.main()
hostile.main()
