"""Notes and records of past commits and runs."""
