"""Source code: the table of languages, parsing, and the commands that compile and run a program."""
