"""Keeping a dataset: cuts are removed, renamed, brought together with others, and held against those of another one.

Whatever changes a dataset holds its lock, may be killed at any moment, and goes on when the same command is run again.
"""
