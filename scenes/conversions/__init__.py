"""Demonstration scenes for the conversions to 2D style, each with what the toy scenes leave out."""
