"""Colours: as people write them, as pictures hold them (sRGB), as light, and as the eye compares them (Oklab)."""
