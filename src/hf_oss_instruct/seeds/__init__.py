"""Seeds: snippets of source files and tables of code, filtered and sampled."""
