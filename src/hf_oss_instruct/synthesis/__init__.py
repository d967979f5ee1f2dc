"""Seeds in, pairs out: the OSS-Instruct method."""
