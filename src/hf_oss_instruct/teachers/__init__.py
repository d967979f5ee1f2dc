"""Who answers: models behind a server, a model in this process, or comments of documented functions."""
