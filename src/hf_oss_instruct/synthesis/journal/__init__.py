"""The journal: every answer on disk before it is used, so that nothing is paid for twice."""
