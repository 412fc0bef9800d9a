"""``python -m benchmarks``: everything that is timed, each also on its own as ``python -m benchmarks.NAME``."""

from benchmarks import history, kills, pages, pgd, scan, together

pgd.main()
scan.main()
pages.main()
history.main()
kills.main()
together.main()
