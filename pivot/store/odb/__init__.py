"""Objects of the store: small ones as Git objects, large ones as files."""
