"""Scoring over HTTP: the server, its clients, and their messages."""
