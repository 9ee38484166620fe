"""Says the end of a run in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from animerun_gen.config.messages import counted
from animerun_gen.dataset import layout
from animerun_gen.pipeline.state.coverage import describe_coverage
from animerun_gen.pipeline.summary import CutSummary
from animerun_gen.terminal import as_command

SHOWN_FAILURES = 5
"""So many failures of a cut are printed: a full disk fails every file."""


def describe(
    summaries: Sequence[CutSummary],
    output: Path,
    command_for: Callable[[CutSummary], str | None] = lambda summary: None,
) -> list[str]:
    """The end of a run in words, a line each.

    Args:
        summaries: What became of the cuts.
        output: Root folder of the dataset.
        command_for: Gives the command that makes just what a cut lacks, where there is one.
    """
    lines = []
    for summary in summaries:
        name = summary.config.name
        work = f"{counted(len(summary.rendered), 'frame')} rendered, {counted(summary.labelled, 'label')} made"
        if summary.recolored:
            work += f", {counted(summary.recolored, 'frame')} recoloured"
        state, worked = _state(summary), summary.rendered or summary.labelled or summary.recolored
        lines.append(f"{name}: {state}; {work}" if worked else f"{name}: {state}")
        if summary.memory:
            lines.append(f"  Blender used up to {summary.memory / 1e9:.1f} GB of memory")
        lines += [f"  out of date ({stage}): {reason}" for stage, reason in summary.redone.items()]
        lines += _described_remarks(summary)
        lines += _ways_out(summary.damaged, output, name)
        if summary.coverage is not None:
            lines += [f"  {line}" for line in describe_coverage(summary.coverage)]
            command = command_for(summary) if command_for is not None and not summary.coverage.complete else None
            if command is not None:
                lines.append(f"  to make only the missing ones: {command}")
        lines += _described_figures(summary)
        lines += [f"  {line}" for line in _describe_cross_checks(summary.cross_checks)]
    if (output / "quality").is_dir():
        lines.append(f"the dataset is in {output}; figures of each pair are in {output / 'quality'}")
    return lines


def describe_remarks(summary: CutSummary) -> list[str]:
    """What a run had to say of a cut beside how far it is, a line each: notes, failures, figures, the gate."""
    return _described_remarks(summary) + _described_figures(summary)


def _described_remarks(summary: CutSummary) -> list[str]:
    lines = [f"  note: {note}" for note in summary.notes]
    lines += [f"  failed: {failure}" for failure in summary.failures[:SHOWN_FAILURES]]
    if len(summary.failures) > SHOWN_FAILURES:
        lines.append(f"  failed {len(summary.failures) - SHOWN_FAILURES} more times")
    return lines


def _described_figures(summary: CutSummary) -> list[str]:
    return [] if summary.quality is None else [f"  {line}" for line in _describe_quality(summary.quality)]


def _ways_out(damaged: Sequence[str], output: Path, name: str) -> list[str]:
    """How to get rid of files that are damaged, in indented lines; none where there are none."""
    if not damaged:
        return []
    manifest = layout.manifest_file(output, name).relative_to(output)
    repair = as_command("animerun-gen", "verify", output, "--cut", name, "--repair")
    return [
        f"  to make only these files again: {repair}",
        f"  to accept them as they are: delete {manifest} and run the same command again",
    ]


def _state(summary: CutSummary) -> str:
    if summary.failures or summary.coverage is None:
        return "FAILED"
    if summary.damaged:
        return "DAMAGED"
    if not summary.coverage.complete:
        return "INCOMPLETE"
    return "complete" if summary.quality is not None else "rendered"


def _describe_quality(quality: dict[str, Any]) -> list[str]:
    """The figures of a cut in words; of those that are nowhere to be had nothing is said."""
    lines = []
    summary = quality["summary"]
    if not quality["pairs"]:
        return ["no pair of neighbouring frames is complete"]
    for name, title in (("warp_error", "colour"), ("warp_error_flat", "flat")):
        mean, worst = _figure(summary, name, "mean"), _figure(summary, name, "worst")
        if mean is not None and worst is not None:
            lines.append(f"warp error of {title} frames, by point sampling: mean {mean:.5f}, worst {worst:.5f}")
        mean, worst = (_figure(summary, f"{name}_bilinear", which) for which in ("mean", "worst"))
        if mean is not None and worst is not None:
            lines.append(f"  with bilinear sampling, as other datasets report it: mean {mean:.5f}, worst {worst:.5f}")
    shares = [_figure(summary, "surface_share", which) for which in ("mean", "worst")]
    if shares[0] is not None and shares[1] is not None:
        lines.append(f"surfaces cover {_percent(shares[0])} of the picture on average, {_percent(shares[1])} at least")
    agreements = [_figure(summary, name, "worst") for name in ("agreement", "agreement_ids")]
    if known := [agreement for agreement in agreements if agreement is not None]:
        lines.append(
            "pictures and id maps agree everywhere"
            if min(known) == 1.0
            else f"pictures and id maps agree on {_percent(min(known))} of each frame or more"
        )
    leaks, pieces = _figure(summary, "leaks", "mean"), _figure(summary, "pieces", "mean")
    if leaks is not None:
        lines.append(f"segments spill onto another surface in {100 * leaks:.2f}% of the pixels on average")
    if pieces is not None:
        lines.append(f"segments cut a surface into {pieces:.2f} pieces, on average")
    both = _figure(summary, "occlusion_agreement", "mean")
    if both is not None:
        lines.append(f"rule-based and exact occlusion agree on {_percent(both)} of the pixels")
    if summary["held_share"]:
        lines.append(f"{_percent(summary['held_share'])} of the pairs are held frames: nothing moves or changes")
    held = {name: figures["pairs"] for name, figures in quality.get("timing", {}).items() if figures["pairs"]}
    if held:
        listed = ", ".join(f"{name} in {_percent(share)}" for name, share in held.items())
        lines.append(f"layers that are held from one frame to the next: {listed} of the pairs")
    if repainted := _figure(summary, "repainted_share", "worst"):
        lines.append(
            f"colours that change by themselves, on up to {100 * repainted:.2f}% of a frame, are not compared with "
            "those of other frames"
        )
    if unknown := _figure(summary, "invalid_share", "worst"):
        lines.append(f"motion is unknown in up to {100 * unknown:.2f}% of a frame")
    failures = quality["failures"]
    lines += [f"quality: {failure['message']}" for failure in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"quality: {len(failures) - SHOWN_FAILURES} more figures are beyond their thresholds")
    if not failures:
        lines.append("quality: all figures are within their thresholds")
    return lines


def _percent(share: float) -> str:
    """A share in per cent, with as many digits as tell it from nothing and from everything, up to five."""
    percent = 100 * share
    digits = next((digits for digits in range(1, 5) if 0.0 < float(f"{percent:.{digits}f}") < 100.0), 5)
    return f"{percent:.0f}%" if percent in (0.0, 100.0) else f"{percent:.{digits}f}%"


def _figure(summary: Mapping[str, Any], name: str, which: str) -> float | None:
    """A figure of a cut's summary; None where no frame or pair has it, which can happen to each of them."""
    figure: float | None = summary.get(name, {}).get(which)
    return figure


def _describe_cross_checks(checks: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    trusted = [check for check in checks if not check["vector_pass_problems"] and check["median"] is not None]
    if checks:
        lines.append(f"cross-check: {len(trusted)} of {len(checks)} flows can be compared with the Vector pass")
    if trusted:
        median = max(check["median"] for check in trusted)
        tail = max(check["p99"] for check in trusted)
        lines.append(f"cross-check: medians up to {median:.2g} px, 99% of each within {tail:.2g} px")
    with suppress(StopIteration):
        refused = next(check for check in checks if check["vector_pass_problems"])
        lines.append(f"cross-check: the Vector pass is wrong where {'; '.join(refused['vector_pass_problems'][:3])}")
    return lines
