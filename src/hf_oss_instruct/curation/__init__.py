"""Checks of single rows and of whole datasets."""
