"""The benchmarks that decontamination looks for and evaluation scores: one registry, one way to fetch, one row reader."""
