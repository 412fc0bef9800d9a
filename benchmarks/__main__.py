"""``python -m benchmarks``: runs all benchmarks, each also available as ``python -m benchmarks.NAME``."""

from benchmarks import history, hostile, identify, kills, pages, pgd, scan, together

pgd.main()
scan.main()
pages.main()
history.main()
hostile.main()
identify.main()
kills.main()
together.main()
