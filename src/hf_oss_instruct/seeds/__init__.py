"""Where snippets come from: source files and tables of code, filtered and sampled."""
