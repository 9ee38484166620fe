"""The compiled loops of the shade."""
