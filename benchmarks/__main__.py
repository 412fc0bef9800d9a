"""``python -m benchmarks``: everything that is timed, each also on its own as ``python -m benchmarks.NAME``."""

from benchmarks import history, hostile, kills, pages, pgd, scan, together

pgd.main()
scan.main()
pages.main()
history.main()
hostile.main()
kills.main()
together.main()
