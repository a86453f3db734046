"""Classical deconvolution: one file a method, found by its configuration name; tuning."""
