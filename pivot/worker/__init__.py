"""The process of a stage and the fork server that it comes from."""
