"""Evaluate models: benchmarks, extraction of programs from answers, verdicts from the sandbox, scores."""
