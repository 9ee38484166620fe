"""The kinds of evaluation: which package opens each."""

from __future__ import annotations

import importlib

from animerun_gen.benchmark.evaluation import Evaluation
from animerun_gen.benchmark.options import EvaluationOptions

KINDS = {
    "flow": "animerun_gen.benchmark.flow.evaluation",
    "segments": "animerun_gen.benchmark.segments.evaluation",
    "interpolation": "animerun_gen.benchmark.interpolation.evaluation",
}
"""By name, the module whose function ``open_evaluation`` takes the options and gives an
:class:`~animerun_gen.benchmark.evaluation.Evaluation`."""


def open_evaluation(kind: str, options: EvaluationOptions) -> Evaluation:
    """Open a kind of evaluation.

    Args:
        kind: One of :data:`KINDS`.
        options: What is measured, and on what.

    Raises:
        UsageError: There is no such method, dataset or split, or a library is missing.
    """
    opened: Evaluation = importlib.import_module(KINDS[kind]).open_evaluation(options)
    return opened
