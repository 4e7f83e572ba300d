"""Kills commands at random moments and checks what is left."""
