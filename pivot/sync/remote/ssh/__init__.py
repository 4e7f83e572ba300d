"""SSH connections, by OpenSSH or paramiko."""
