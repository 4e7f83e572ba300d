"""Which stage starts next: order, resources, retries, forecast."""
