"""Generation tasks: requests to a teacher, and how answers become rows."""
