"""Upload to a remote and download from it."""
