"""Progress of long commands: what they count, how fast it goes, and how a terminal, a log or a notebook shows it.

Commands know `counts` only: they open a stage and update its numbers. `show` chooses the display.
"""
