"""The git program, and the files of a Git directory."""
