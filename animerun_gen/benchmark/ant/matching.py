"""From scores of pairs of segments to probabilities, a loss and a decision."""

from __future__ import annotations

import torch

from animerun_gen.benchmark.ant.inputs import IGNORED

_NEVER = -1e9
"""The logarithm of what cannot be; a real infinity would make NaN of gradients."""


def log_assignment(
    scores: torch.Tensor, unmatched: torch.Tensor, present: torch.Tensor, sinkhorn: int = 0
) -> torch.Tensor:
    """The logarithm of the probability that a segment becomes another one, or none.

    Args:
        scores: ``(B, K, L)`` float32: how well a source segment goes with a target segment.
        unmatched: ``(B, 2, max(K, L))`` float32: how much each segment of the source and of the target frame speaks for
            having no match; the target's is used by ``sinkhorn`` alone.
        present: ``(B, 2, max(K, L))`` bool: which segments are no padding.
        sinkhorn: How often rows and columns are made to sum up to one in turn, with a dustbin for each frame (Sarlin et
            al., CVPR 2020); 0: a softmax over each row.

    Returns:
        ``(B, K, L + 1)`` float32, of which the last column stands for no match.
    """
    batch, sources, targets = scores.shape
    here, there = present[:, 0, :sources], present[:, 1, :targets]
    scores = scores.masked_fill(~there.unsqueeze(1), _NEVER)
    rows = torch.cat([scores, unmatched[:, 0, :sources, None]], dim=2)
    if not sinkhorn:
        return torch.log_softmax(rows, dim=2)
    bins = torch.cat([unmatched[:, 1, :targets], unmatched.new_zeros(batch, 1)], dim=1)
    bins = torch.cat([bins[:, :-1].masked_fill(~there, _NEVER), bins[:, -1:]], dim=1)
    table = torch.cat([rows.masked_fill(~here.unsqueeze(2), _NEVER), bins.unsqueeze(1)], dim=1)
    # a dustbin takes as many as the other frame has
    many = present.sum(2).to(scores.dtype).clamp_min(1).log()
    row_sums = torch.cat([torch.zeros_like(rows[..., 0]).masked_fill(~here, _NEVER), many[:, 1:]], dim=1)
    column_sums = torch.cat([torch.zeros_like(scores[:, 0]).masked_fill(~there, _NEVER), many[:, :1]], dim=1)
    row, column = torch.zeros_like(row_sums), torch.zeros_like(column_sums)
    for _ in range(sinkhorn):
        row = row_sums - torch.logsumexp(table + column.unsqueeze(1), dim=2)
        column = column_sums - torch.logsumexp(table + row.unsqueeze(2), dim=1)
    # rows sum up to one at the end, so that what is left over is the probability of no match
    row = row_sums - torch.logsumexp(table + column.unsqueeze(1), dim=2)
    return (table + row.unsqueeze(2) + column.unsqueeze(1))[:, :-1]


def matching_loss(assignment: torch.Tensor, matches: torch.Tensor, occluded_weight: float = 1.0) -> torch.Tensor:
    """Cross entropy against the first match, mean over the segments of a pair and then over pairs.

    Args:
        assignment: ``(B, K, L + 1)`` float32, see :func:`log_assignment`.
        matches: ``(B, K)`` int64: the match, -1: none, :data:`~animerun_gen.benchmark.ant.inputs.IGNORED`.
        occluded_weight: How much a segment without a match counts, beside one that has one.

    Returns:
        A number; 0 where nothing is known.
    """
    known = matches != IGNORED
    column = torch.where(matches < 0, assignment.shape[2] - 1, matches)
    surprise = -assignment.gather(2, column.unsqueeze(2)).squeeze(2)
    weight = torch.where(matches == -1, occluded_weight, 1.0) * known
    total = (surprise * weight).sum(1) / weight.sum(1).clamp_min(1e-6)
    pairs = known.any(1)
    return (total * pairs).sum() / pairs.sum().clamp_min(1)


def decide(assignment: torch.Tensor, occluded_above: float | None = None) -> torch.Tensor:
    """The match of each source segment.

    Args:
        assignment: ``(B, K, L + 1)``, see :func:`log_assignment`.
        occluded_above: A segment is occluded when the probability of that is larger; None: when it is larger than that
            of each match.

    Returns:
        ``(B, K)`` int64: a target segment, or -1.
    """
    best = assignment[..., :-1].max(dim=2)
    none = assignment[..., -1]
    occluded = none > best.values if occluded_above is None else none.exp() > occluded_above
    return torch.where(occluded, -1, best.indices)
