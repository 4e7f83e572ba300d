"""Git objects and refs behind one narrow interface, by libgit2 or the git program."""
