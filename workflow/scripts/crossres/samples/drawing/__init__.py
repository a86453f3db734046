"""Drawing code of the larger samples; loaded only when a sample is drawn."""
