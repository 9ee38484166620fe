"""Matching segments, measured as in Table 3 of AnimeRun's paper, and matchers that need no training.

Everything here is numpy and OpenCV alone; the learned matcher is :mod:`animerun_gen.benchmark.ant`.
"""
