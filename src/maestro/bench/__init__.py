"""The project's own benchmarks: what is measured is always measured beside something, in turns, in one run."""
