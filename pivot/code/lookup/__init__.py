"""The object or definition that a name in the source means."""
