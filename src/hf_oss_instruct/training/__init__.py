"""Training on stock TRL: rows that fit, recipes it parses, scores while it trains."""
