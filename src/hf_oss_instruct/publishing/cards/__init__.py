"""Cards on the Hub: their text, their metadata, the plot of losses, the terms of use."""
