"""From a stage to all code that it reaches."""
