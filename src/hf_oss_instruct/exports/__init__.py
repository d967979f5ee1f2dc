"""Verified rows in the formats of training frameworks."""
