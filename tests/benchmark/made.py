"""Results that were made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from animerun_gen.benchmark.results import (
    Averages,
    Clip,
    Column,
    Figure,
    Measured,
    MethodFacts,
    Pair,
    Result,
    Weights,
)

COLUMNS = (
    Column(key="epe", title="EPE", unit="px", better="lower", meaning="Distance to the truth."),
    Column(key="acc", title="ACC", unit="%", better="higher", meaning="Found.", paper=False),
)


def make_result(
    title: str, clips: Mapping[str, Sequence[float]], weights: Weights = "none", truth: str = "a", kind: str = "flow"
) -> Result:
    """A result with the end-point errors of the pairs of each clip; the accuracy is what is left to 100."""
    made = [
        Clip.of(
            name.partition("/")[0],
            name.partition("/")[2],
            [
                Pair(frames=(n, n + 1), figures={"epe": Figure.mean(error, 1), "acc": Figure.mean(100 - error, 1)})
                for n, error in enumerate(errors)
            ],
            COLUMNS,
        )
        for name, errors in clips.items()
    ]
    return Result(
        program="animerun-gen 0",
        kind=kind,
        measured=Measured(name="made_up", splits=("test",), pictures="frame", truth=truth),
        method=MethodFacts(name=title, title=title, weights=weights),
        columns=COLUMNS,
        average="pooled",
        averages=Averages.of((pair for clip in made for pair in clip.pairs), COLUMNS),
        clips=tuple(made),
    )
