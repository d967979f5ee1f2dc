"""What a report measures: one file for each question, and all of them together."""
