"""Balanced seeds: about the same number from each language, category and cluster."""
