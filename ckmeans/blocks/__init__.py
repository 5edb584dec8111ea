"""Rows in blocks: where they come from, and summaries of rows that are gone."""
