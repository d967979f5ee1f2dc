"""A run, declared once: every option with its type, default, help, names and who may set it."""
