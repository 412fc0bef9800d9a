"""``python -m benchmarks``: everything that is timed, each also on its own as ``python -m benchmarks.NAME``."""

from benchmarks import history, pages, pgd, scan

pgd.main()
scan.main()
pages.main()
history.main()
