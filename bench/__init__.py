"""The benchmark: `make bench`, or `make bench-quick`. What it measures and how: docs/performance.md."""
