"""From samples to scores: verdicts from the sandbox, pass@k, comparisons."""
