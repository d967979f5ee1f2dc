"""From a completion and the tests of its row to their results."""
