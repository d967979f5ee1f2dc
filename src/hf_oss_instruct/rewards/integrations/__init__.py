"""Rewards inside other frameworks: TRL, verl, verifiers, inspect_ai."""
