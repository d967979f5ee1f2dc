"""Requests to teachers: when to send one, to which server, how often to try again, and what may be spent."""
