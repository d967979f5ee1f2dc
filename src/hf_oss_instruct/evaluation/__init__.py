"""Does the model solve the problems? Benchmarks, programs out of answers, verdicts from the sandbox, scores."""
