"""`load_dataset("oss-instruct", …)`: the builder, and everything that depends on internals of `datasets`."""
