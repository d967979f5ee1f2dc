"""One run on many machines: plan it, run its shards anywhere, merge them into one dataset."""
