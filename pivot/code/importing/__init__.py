"""Import of the user's modules from the bytes that were digested."""
