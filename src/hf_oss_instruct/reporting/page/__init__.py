"""The page of a report, and the files beside it."""
