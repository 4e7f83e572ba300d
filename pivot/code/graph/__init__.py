"""The graph of entries that a stage reaches, and its fingerprint."""
