"""The command's side of the processes that run stages."""
