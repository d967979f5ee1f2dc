"""Train on stock TRL: recipes, data preparation, scores during training."""
