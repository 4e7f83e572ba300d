"""Outputs between the store and the working tree."""
