"""Whole user actions other than a run: adopt, accept, checkout, rerun, determinism check."""
