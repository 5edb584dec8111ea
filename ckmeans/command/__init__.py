"""The `ckmeans` command: read a table, call, print and write."""
