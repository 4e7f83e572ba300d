"""Which outputs a push or a pull transfers."""
