"""The answer of a command that finds nothing to do, from stats alone."""
