"""Teachers: models behind a server, a model in this process, or an extractor of documented functions."""
