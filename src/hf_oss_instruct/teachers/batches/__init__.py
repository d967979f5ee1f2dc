"""Teachers behind a batch API: requests travel in files, and answers come up to a day later.

collected → file on disk → uploaded → batch created → polled → results on disk → answers     (each step recorded before the next)
"""
