"""Duplicates: equal rows, similar rows, and how many different tasks there are."""

THRESHOLD = 0.7
"""Jaccard similarity of word 5-grams from which on two texts are near duplicates."""
