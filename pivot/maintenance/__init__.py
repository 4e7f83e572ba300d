"""Garbage collection, checks and disk usage of stores and run caches, local and remote."""
