"""Balanced seeds: drawn so that languages, categories and clusters fill evenly."""
