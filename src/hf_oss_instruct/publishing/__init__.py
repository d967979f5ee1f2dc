"""Publish datasets, models and scores to the Hub."""
