"""The mean of features over each segment, in a time that does not depend on how many segments there are."""

from __future__ import annotations

from typing import Any

import torch

_GROUP = 64
"""Pixels that are summed at once; segments are made of whole groups, which are then added up one after the other."""


def segment_means(features: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
    """The mean feature of each segment.

    Pixels are brought into the order of their segments and summed in groups, so that no two threads add to the same
    number: results are the same in every run, on a GPU as well, and large segments are no slower than small ones.

    Args:
        features: ``(B, C, H, W)``.
        labels: ``(B, H, W)`` int64, the segment of each pixel; -1: none.
        count: ``K``, more than the largest label.

    Returns:
        ``(B, K, C)`` float32, 0 for a segment without pixels.

    Example:
        >>> segment_means(torch.tensor([[[[1.0, 3.0, 8.0]]]]), torch.tensor([[[0, 0, 2]]]), 3).squeeze().tolist()
        [2.0, 0.0, 8.0]
    """
    means: torch.Tensor = _SegmentMeans.apply(features.flatten(2), labels.flatten(1), count)  # type: ignore[no-untyped-call]
    return means


class _SegmentMeans(torch.autograd.Function):
    """Its gradient is a look-up: each pixel gets that of its segment, divided by the segment's pixels."""

    @staticmethod
    def forward(context: Any, features: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
        batch, channels, pixels = features.shape
        # what belongs to no segment is summed as well, and left out at the end
        labels = torch.where(labels < 0, count, labels)
        areas = torch.zeros(batch, count + 1, dtype=torch.int64, device=labels.device)
        areas.scatter_add_(1, labels, torch.ones_like(labels))
        ordered, order = torch.sort(labels, dim=1, stable=True)
        groups = (areas + _GROUP - 1) // _GROUP
        first_pixel, first_group = (torch.cumsum(many, 1) - many for many in (areas, groups))
        place = torch.arange(pixels, device=labels.device).expand(batch, -1)
        place = place - first_pixel.gather(1, ordered) + first_group.gather(1, ordered) * _GROUP
        longest = pixels // _GROUP + count + 1
        source = torch.full((batch, longest * _GROUP), pixels, device=labels.device).scatter_(1, place, order)
        there = (source < pixels).unsqueeze(1)
        taken = features.gather(2, source.clamp_max(pixels - 1).unsqueeze(1).expand(-1, channels, -1)) * there
        sums = taken.view(batch, channels, longest, _GROUP).sum(-1, dtype=torch.float32).transpose(1, 2)
        owner = torch.full((batch, longest), count, device=labels.device)
        group_owner = torch.searchsorted(
            torch.cumsum(groups, 1), torch.arange(longest, device=labels.device).expand(batch, -1).contiguous(), right=True
        )
        owner = torch.minimum(group_owner, owner)
        lines = owner + torch.arange(batch, device=labels.device).unsqueeze(1) * (count + 1)
        totals = torch.zeros(batch * (count + 1), channels, device=features.device)
        totals.index_add_(0, lines.flatten(), sums.reshape(-1, channels))
        totals = totals.view(batch, count + 1, channels)[:, :count]
        size = areas[:, :count, None].clamp_min(1)
        context.save_for_backward(labels, size)
        context.kind = features.dtype
        return totals / size

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        labels, size = context.saved_tensors
        share = (gradients[0] / size).to(context.kind).transpose(1, 2)
        share = torch.nn.functional.pad(share, (0, 1))
        return share.gather(2, labels.unsqueeze(1).expand(-1, share.shape[1], -1)), None, None
