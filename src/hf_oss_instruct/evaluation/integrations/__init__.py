"""The benchmarks and their scoring inside other frameworks: lighteval, inspect_ai, `evaluate`."""
