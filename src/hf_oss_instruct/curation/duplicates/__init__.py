"""Duplicates: equal rows, similar rows, and how many different tasks there are."""
