"""Rows that do not fit into memory, or into one machine: they come in blocks."""
