"""Frame interpolation, measured as in Table 4 of AnimeRun's paper."""
