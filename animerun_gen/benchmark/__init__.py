"""Benchmarks of the paper: how well methods find flow, matches of segments, and frames in between."""
