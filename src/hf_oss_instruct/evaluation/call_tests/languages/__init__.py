"""How calls are read, printed and compared in each language: a file for each, which defines `LANGUAGE`."""
