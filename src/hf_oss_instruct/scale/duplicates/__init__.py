"""Exact and near duplicates on many machines, in the four stages of datatrove's deduplication."""
