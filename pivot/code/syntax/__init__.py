"""Source text as normalised syntax: scopes, statements, references."""
