"""The refs and files in which Pivot keeps what it knows: records, run cache, notes, journal."""
