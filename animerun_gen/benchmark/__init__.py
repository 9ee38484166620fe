"""Measures methods on a dataset as AnimeRun's paper does: flow (Table 2), segments (Table 3), interpolation (Table 4).

What the three have in common lies here: the result, its tables and its page, and the run over all clips.  Each has a
package of its own, which :data:`~animerun_gen.benchmark.kinds.KINDS` names.
"""
