"""Decontamination: rows that quote a benchmark."""
