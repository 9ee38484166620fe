"""The mean of features over each segment, in a time that does not depend on how many segments there are."""

from __future__ import annotations

import torch


def segment_means(features: torch.Tensor, labels: torch.Tensor, count: int, shrunk: int = 1) -> torch.Tensor:
    """The mean feature of each segment.

    A cell of the features counts for a segment as often as it has pixels of it, so that no segment is too small for
    features of a coarse picture.  Work grows with the number of cells, not with that of segments.

    Args:
        features: ``(B, C, h, w)``, where ``h`` and ``w`` are the sides of the labels divided by ``shrunk``, rounded up.
        labels: ``(B, H, W)`` int64, the segment of each pixel; -1: none.
        count: ``K``, more than the largest label.
        shrunk: How many pixels a cell of the features is wide and high.

    Returns:
        ``(B, K, C)`` float32, 0 for a segment without pixels.

    Example:
        >>> segment_means(torch.tensor([[[[1.0, 3.0, 8.0]]]]), torch.tensor([[[0, 0, 2]]]), 3).squeeze().tolist()
        [2.0, 0.0, 8.0]
    """
    batch, channels, rows, columns = features.shape
    cell = torch.arange(batch * rows * columns, device=labels.device).view(batch, rows, columns)
    if shrunk > 1:
        down, right = (torch.arange(side, device=labels.device) // shrunk for side in labels.shape[1:])
        cell = cell[:, down][:, :, right]
    cells, seen = batch * rows * columns, labels >= 0
    owner = labels + count * torch.arange(batch, device=labels.device).view(-1, 1, 1)
    if shrunk > 1:
        both, pixels = torch.unique(owner[seen] * cells + cell[seen], return_counts=True)
        owner, cell = both // cells, both % cells
    else:
        owner, cell = owner[seen], cell[seen]
        pixels = torch.ones_like(owner)
    areas = torch.zeros(batch * count, dtype=torch.int64, device=labels.device).index_add_(0, owner, pixels)
    share = (pixels / areas[owner]).unsqueeze(1)
    taken = features.permute(0, 2, 3, 1).reshape(cells, channels).float().index_select(0, cell) * share
    means = torch.zeros(batch * count, channels, device=features.device).index_add(0, owner, taken)
    return means.view(batch, count, channels)
