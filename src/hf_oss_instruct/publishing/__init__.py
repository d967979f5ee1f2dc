"""What the Hub shows of our data."""
