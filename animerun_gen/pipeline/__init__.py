"""Plans, runs, interrupts and continues the making of a dataset."""
