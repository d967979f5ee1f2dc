"""Generation tasks: what is asked of a teacher, and what its answer becomes."""
