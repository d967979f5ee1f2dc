"""Checks on rows and on whole sets of rows."""
