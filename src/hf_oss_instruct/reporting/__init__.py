"""Show a dataset: numbers, charts, a page with a row browser."""
