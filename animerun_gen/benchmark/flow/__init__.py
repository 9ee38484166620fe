"""Optical flow, measured as in Table 2 of AnimeRun's paper."""
