"""What a dataset knows of itself: what its files were made from, what is there, and what went wrong."""
