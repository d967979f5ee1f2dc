"""Show a dataset: numbers, charts, a page with a browser of its rows."""
