"""Verified pairs in the formats of training frameworks: TRL, verl, Harbor, verifiers."""
