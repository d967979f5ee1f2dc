"""The quality of tests: what they make of stubs, mutants and equivalent rewrites of the solution."""
