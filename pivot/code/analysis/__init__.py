"""One analysis of a pipeline: stages with manifests, and the cache that keeps them."""
