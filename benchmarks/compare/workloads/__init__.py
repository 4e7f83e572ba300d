"""What the tools are given to do, one module each."""
