"""The way to a host over SSH: through the `ssh` program, or with paramiko where there is none."""
