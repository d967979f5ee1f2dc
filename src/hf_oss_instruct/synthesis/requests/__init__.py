"""Requests to teachers: when to send one, to which server, how often to retry, and the budget."""
