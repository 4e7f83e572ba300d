def complete(rows):
    """The rows in which no value is missing."""
    return [row for row in rows if all(row.values())]
