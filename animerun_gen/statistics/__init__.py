"""Statistics of a dataset: the figures of AnimeRun's Table 1 and Figure 4, for our data and those of others.

The definitions are those of the paper (Li et al., "AnimeRun: 2D Animation Visual Correspondence from Open Source 3D
Movies", NeurIPS 2022, arXiv:2211.05709); what it leaves open, ``docs/statistics.md`` says.
"""
