"""Colour passes: the same frames in the colour designs of other animations, without another render."""
