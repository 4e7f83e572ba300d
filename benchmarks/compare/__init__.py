"""The tools that people use now, on the same work, in turn: `python -m benchmarks.compare`."""
