"""``evaluate``: measure a method on a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from animerun_gen.benchmark.options import EvaluationOptions
from animerun_gen.cli import shared
from animerun_gen.settings import group, setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Evaluate:
    """Measure a method on a dataset."""

    name: ClassVar = "evaluate"
    summary: ClassVar = "measure flow, segment matching or interpolation on a dataset, as the paper's tables do"
    description: ClassVar = """\
Measures a method, or predictions that lie in a folder, on a dataset: flow with the columns of the paper's Table 2,
segment matching with those of Table 3, interpolation with those of Table 4. The output folder gets result.json,
table.md and a page, index.html. Run again, the command goes on where it stopped.

    animerun-gen evaluate flow out/toy --method dis --out out/flow/dis
    animerun-gen evaluate segments out/toy --method flow:dis --out out/segments/flow_dis
    animerun-gen evaluate interpolation out/toy --method splat:dis --out out/interpolation/splat_dis

Predictions of your own beside a result that is there already:

    animerun-gen evaluate flow out/toy --predictions my_flow --name "My method" --out out/flow/mine \\
        --compare out/flow/dis

docs/benchmark_flow.md, docs/benchmark_segments.md and docs/benchmark_interpolation.md list the methods, and the files
that predictions may lie in.
"""

    kind: str = setting(placed=True, metavar="KIND", help="what is measured: flow, segments, interpolation")
    options: EvaluationOptions = group(EvaluationOptions)

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.benchmark.kinds import KINDS, open_evaluation
        from animerun_gen.benchmark.run import evaluate
        from animerun_gen.benchmark.tables import summary_of
        from animerun_gen.dataset.files import remove_stale_temporaries
        from animerun_gen.errors import UsageError

        if self.kind not in KINDS:
            raise UsageError(f"there is no evaluation of '{self.kind}'", remedy=f"choose one of {', '.join(KINDS)}")
        options = self.options
        shared.require_output(options.output, [options.dataset])
        if options.save is not None:
            shared.require_output(options.save, [options.dataset], "--save")
            remove_stale_temporaries(options.save)
        evaluation = open_evaluation(self.kind, options)
        done = evaluate(evaluation, options.output, options.compare, options.worst)
        for sentence in done.failures:
            complain(sentence)
        if done.result is None:
            return 1
        for line in summary_of(done.result, done.others):
            say(line)
        for file in done.files:
            say(f"wrote {file}")
        return 0
