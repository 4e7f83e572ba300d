"""Only for `PYTHONPATH`: the folder that Python programs started by a stage find their `sitecustomize` in."""
