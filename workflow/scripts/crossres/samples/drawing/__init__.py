"""How samples that take more than a few lines are drawn; loaded only where they are."""
