"""Values of a running program as data that is equal on every machine."""
