"""Watch mode: run what a save reaches, for as long as the command is left running."""
