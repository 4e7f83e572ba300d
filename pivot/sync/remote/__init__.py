"""A store in another place: folder, or SSH host."""
