"""Pages to look at a dataset in a browser: ``animerun-gen report DATASET``."""

from animerun_gen.report.build import build_report

__all__ = ["build_report"]
