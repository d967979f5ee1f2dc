"""Progress of long commands: their counts and speed, and how a terminal, a log or a notebook shows them.

Commands know `counts` only: they open a stage and update its numbers. `show` chooses the display.
"""
