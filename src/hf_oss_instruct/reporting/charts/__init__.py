"""The charts of a report: which there are, what they show, and how they are drawn."""
