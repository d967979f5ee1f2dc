"""The quality of tests: their results on stubs, mutants and equivalent rewrites of the solution."""
