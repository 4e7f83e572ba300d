"""What Git's hooks do: outputs follow the branch, commits get their notes, results travel with a push."""
