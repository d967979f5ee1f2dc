"""Requests over HTTP: where they go, how they are sent, and what an answer or an error means."""
