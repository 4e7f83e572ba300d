"""Which pipeline files a repository has."""
