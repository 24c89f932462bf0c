"""4. The dataset as its readers meet it: the card, the publish, the loaders."""
