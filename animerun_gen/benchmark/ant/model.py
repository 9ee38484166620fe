"""AnT: segments as tokens of a transformer that looks at both frames.

Sources: Casey et al., "The Animation Transformer: Visual Correspondence via Segment Matching", ICCV 2021
(arXiv:2109.02614); Sarlin et al., "SuperGlue: Learning Feature Matching with Graph Neural Networks", CVPR 2020
(arXiv:1911.11763).  Written from the papers; sizes are those that the authors of AnimeRun used.  Where they have batch
normalisation in the networks of tokens there is layer normalisation here, so that a pair's matches do not depend on
which other pairs are in its batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from animerun_gen.benchmark.ant.guide import FACTS
from animerun_gen.benchmark.ant.guide import UNIT as _UNIT
from animerun_gen.benchmark.ant.inputs import AntBatch
from animerun_gen.benchmark.ant.matching import log_assignment
from animerun_gen.benchmark.ant.pooling import segment_means

_POSITION_SHARE = 0.7
"""Positions are in units of this share of the longer side."""

_PAIR_FEATURES = 11
_PAIR_WIDTH = 32

_NO_VOTE = 0.01
"""Added to shares of votes before the logarithm is taken."""

_FEW = -3.0
"""How much speaks for no match before anything is learnt: few segments have none."""


@dataclass(frozen=True)
class AntShape:
    """How large the model is, and which parts it has; the defaults are AnT as the authors of AnimeRun trained it.

    Attributes:
        channels: Of the three convolutions of the descriptor; the last one is the width of the tokens.
        heads: Of each attention.
        layers: Pairs of self and cross attention.
        shrink: The pictures are made smaller by this factor before the descriptor, which makes it as much faster.
        context: How many times the descriptor looks at a picture half as large again, so that a segment knows what lies
            around it.
        rounds: How often the segments are matched: each round but the first knows how far the segments moved by the
            round before, and has its share of the layers.
        relative: Whether attention and scores are told how two segments lie to each other and differ in size.
        occlusion: ``"column"``: one learnt number speaks for "no match"; ``"head"``: each segment has a number of its
            own, made of what it knows of both frames.
        sinkhorn: How often rows and columns of the scores are balanced; 0: a softmax.
        guide: Flow methods whose votes the matches begin from
            (:data:`~animerun_gen.benchmark.ant.guide.GUIDES`): an untrained model decides as the votes of the first one
            do, and what is learnt is where these are wrong.
    """

    channels: tuple[int, ...] = (32, 64, 128)
    heads: int = 4
    layers: int = 12
    shrink: int = 1
    context: int = 0
    rounds: int = 1
    relative: bool = False
    occlusion: str = "column"
    sinkhorn: int = 0
    guide: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return self.channels[-1]


class Ant(nn.Module):
    """The model.

    Args:
        shape: How large it is.

    Example:
        >>> model = Ant(AntShape(channels=(4, 4, 8), layers=1))
        >>> sum(part.numel() for part in model.parameters()) > 1000
        True
    """

    def __init__(self, shape: AntShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or AntShape()
        if shape.width % shape.heads or shape.layers % shape.rounds:
            raise ValueError(
                f"{shape.width} numbers a token and {shape.layers} layers cannot be shared out among {shape.heads}"
                f" heads and {shape.rounds} rounds"
            )
        self.descriptor = Descriptor(shape)
        self.position = _perceptron(4 if not shape.relative else 10, 32, 64, shape.width, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.project = nn.ModuleList(nn.Linear(shape.width, shape.width) for _ in range(shape.rounds))
        self.unmatched = nn.Parameter(torch.zeros(2))
        if shape.relative:
            features = _PAIR_FEATURES + (_GUIDED_FEATURES * len(shape.guide) + 2 if shape.guide else 0)
            self.pair = nn.Sequential(nn.Linear(features, _PAIR_WIDTH), nn.ReLU(), nn.Linear(_PAIR_WIDTH, _PAIR_WIDTH))
            self.pair_score = nn.ModuleList(_pair_score(shape) for _ in range(shape.rounds))
        if shape.rounds > 1:
            self.moved = nn.ModuleList(_perceptron(3, 32, shape.width) for _ in range(shape.rounds - 1))
        if shape.occlusion == "head":
            known = 3 if shape.guide else 2
            self.seen = nn.ModuleList(_perceptron(shape.width + known, 64, 1) for _ in range(shape.rounds))
            for part in self.seen:
                nn.init.zeros_(part[-1].weight)
                nn.init.constant_(part[-1].bias, _FEW)
        if shape.guide:
            self.guided = _Guided(shape)
            if shape.occlusion == "column":
                nn.init.constant_(self.unmatched, _FEW)

    def forward(self, batch: AntBatch) -> list[torch.Tensor]:
        """Match the segments of each pair.

        Args:
            batch: The pairs.

        Returns:
            For each round the logarithm of the probability that a source segment becomes a target segment or, in the
            last column, none: ``(B, K, K + 1)`` float32.  The last round counts; the others are there to be learnt
            from.
        """
        shape, present = self.shape, batch.present
        with _in_full(batch.geometry):
            tokens = self.position(_positions(batch, shape.relative))
        tokens = tokens + self.descriptor(batch)
        if shape.guide:
            tokens = tokens + self.guided.told(batch.facts)
        # padding must not become anything that a sum could notice
        tokens = tokens * present.unsqueeze(-1)
        moved = _motion_of_guide(batch) if shape.guide else None
        near = self._near(batch, moved) if shape.relative else None
        before: torch.Tensor | None = None
        found = []
        share = shape.layers // shape.rounds
        for turn in range(shape.rounds):
            if before is not None and moved is not None:
                tokens = tokens + self.moved[turn - 1](moved) * present.unsqueeze(-1)
                near = None if near is None else replace(near, across=self._across(batch, moved, before))
            for layer in self.layers[turn * share : (turn + 1) * share]:
                tokens = layer(tokens, present, near)
            scores, unmatched = self._scores(tokens, batch, near, turn)
            found.append(log_assignment(scores, unmatched, present, shape.sinkhorn))
            if turn + 1 < shape.rounds:
                before = scores.detach()
                moved = _motion(before, unmatched.detach(), batch)
        return found

    def _near(self, batch: AntBatch, moved: torch.Tensor | None) -> _Near:
        """How the segments lie to each other, as far as that is known before they are matched."""
        centres, extents = batch.geometry[..., 4:6].flatten(0, 1), _extents(batch.geometry).flatten(0, 1)
        apart = batch.shared.new_zeros(1, 1, 1, 2).expand(*centres.shape[:2], centres.shape[1], -1)
        with _in_full(centres):
            features = _pair_features(centres, centres, extents, extents, apart)
            # no guide speaks of segments of one frame
            features = functional.pad(features, (0, self.pair[0].in_features - features.shape[-1]))
            within = self.pair(features)
        return _Near(within.unflatten(0, (-1, 2)), self._across(batch, moved, None))

    def _across(self, batch: AntBatch, moved: torch.Tensor | None, scores: torch.Tensor | None) -> torch.Tensor:
        """How the segments of the target frame lie to where those of the source frame are expected.

        Args:
            batch: The pairs.
            moved: How far they are expected to move.
            scores: Of the round before; a guided model is told them.
        """
        centres, extents = batch.geometry[..., 4:6], _extents(batch.geometry)
        expected = centres[:, 0] if moved is None else centres[:, 0] + moved[:, 0, :, :2] * _UNIT
        areas = batch.geometry[..., 6].clamp_min(1)
        shared = torch.stack([batch.shared / areas[:, 0, :, None], batch.shared / areas[:, 1, None, :]], dim=-1)
        with _in_full(centres):
            near = _pair_features(expected, centres[:, 1], extents[:, 0], extents[:, 1], shared)
            if self.shape.guide:
                near = torch.cat([near, _vote_features(batch), _ranks(batch, scores)], dim=-1)
            across: torch.Tensor = self.pair(near)
        return across

    def _scores(
        self, tokens: torch.Tensor, batch: AntBatch, near: _Near | None, turn: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``(B, K, K)`` scores of pairs, and ``(B, 2, K)`` how much speaks for no match."""
        present = batch.present
        described = self.project[turn](tokens).float()
        one, other = described[:, 0], described[:, 1]
        with _in_full(described):
            if self.shape.guide:
                other = self.guided.compare[turn](other)
            scores = one @ other.transpose(1, 2) / self.shape.width**0.5
        if near is not None:
            scores = scores + self.pair_score[turn](near.across).squeeze(-1).float()
        if self.shape.guide:
            with _in_full(scores):
                scores = scores + self.guided.votes(batch, turn)
        unmatched = self.unmatched.view(1, 2, 1).expand(len(tokens), -1, tokens.shape[2]).float()
        if self.shape.occlusion == "column" and not self.shape.guide:
            return scores, unmatched
        there = scores.masked_fill(~present[:, 1].unsqueeze(1), -1e4)
        back = scores.masked_fill(~present[:, 0].unsqueeze(2), -1e4)
        best = torch.stack([there.amax(2), back.amax(1)], dim=1)
        total = torch.stack([there.logsumexp(2), back.logsumexp(1)], dim=1)
        if self.shape.occlusion == "head":
            known = [best, total]
            if self.shape.guide:
                # how well the best match goes, where it has to be the best one for both
                both = 2 * scores - total[:, 0].unsqueeze(2) - total[:, 1].unsqueeze(1)
                both = both.masked_fill(~(present[:, 0].unsqueeze(2) & present[:, 1].unsqueeze(1)), -1e4)
                mutual = torch.stack([both.amax(2), both.amax(1)], dim=1).clamp_min(-20)
                known = [total - best, mutual, self.guided.silent(batch)]
            seen = torch.cat([tokens, torch.stack(known, dim=-1).to(tokens.dtype)], dim=-1)
            unmatched = unmatched + self.seen[turn](seen).squeeze(-1).float()
        # measured from the scores that it has to beat
        if self.shape.guide:
            return scores, unmatched + best + self.guided.lost[turn] * self.guided.silent(batch)
        return scores, unmatched + total


class _Guided(nn.Module):
    """What a guided model has beside the others; it begins as one that decides as the votes of the first guide do.

    Args:
        shape: Of the model.
    """

    def __init__(self, shape: AntShape) -> None:
        super().__init__()
        self.told = _perceptron(FACTS * len(shape.guide), 32, shape.width)
        self.compare = nn.ModuleList(nn.Linear(shape.width, shape.width, bias=False) for _ in range(shape.rounds))
        for part in self.compare:
            nn.init.zeros_(part.weight)
        # how much the votes there and back of each guide count
        weights = torch.zeros(shape.rounds, 2 * len(shape.guide))
        weights[:, 0] = 2.0
        self.weights = nn.Parameter(weights)
        # more than what speaks against it: what no vote is cast for has no match
        self.lost = nn.Parameter(torch.full((shape.rounds,), -2 * _FEW))

    def votes(self, batch: AntBatch, turn: int) -> torch.Tensor:
        """``(B, K, K)``: scores of pairs by votes."""
        scores: torch.Tensor = torch.einsum("bgkl,g->bkl", (batch.votes + _NO_VOTE).log(), self.weights[turn])
        return scores

    def silent(self, batch: AntBatch) -> torch.Tensor:
        """``(B, 2, K)``: 1 for a segment of which no pixel stays in the picture by the first guide, else 0."""
        there, back = batch.votes[:, 0], batch.votes[:, 1]
        return torch.stack([there.amax(2) == 0, back.amax(1) == 0], dim=1).float()


def _pair_score(shape: AntShape) -> nn.Module:
    """What makes a score of how two segments lie to each other."""
    if not shape.guide:
        return nn.Linear(_PAIR_WIDTH, 1)
    score = nn.Sequential(nn.ReLU(), nn.Linear(_PAIR_WIDTH, _PAIR_WIDTH), nn.ReLU(), nn.Linear(_PAIR_WIDTH, 1))
    nn.init.zeros_(score[-1].weight)
    nn.init.zeros_(score[-1].bias)
    return score


def _in_full(tensor: torch.Tensor) -> torch.autocast:
    """Compute in full precision: half of it would round places to whole pixels, and make unlike segments equal."""
    return torch.autocast(tensor.device.type, enabled=False)


class Descriptor(nn.Module):
    """What the pixels of a segment look like: three convolutions, and the mean over the segment.

    Args:
        shape: Of the model.
    """

    def __init__(self, shape: AntShape) -> None:
        super().__init__()
        self.shrink = shape.shrink
        before, parts = 3, []
        for at, channels in enumerate(shape.channels):
            parts.append(_Convolution(before, channels, 7 if at == 0 else 3))
            before = channels
        self.fine = nn.Sequential(*parts)
        self.coarse = nn.ModuleList(_Convolution(before, before, 3) for _ in range(2 * shape.context))

    def forward(self, batch: AntBatch) -> torch.Tensor:
        """``(B, 2, K, C)`` float32."""
        pictures = batch.pictures.flatten(0, 1).float() / 127.5 - 1
        labels = batch.labels.flatten(0, 1).long()
        count = batch.geometry.shape[2]
        if self.shrink > 1:
            pictures = functional.avg_pool2d(pictures, self.shrink, ceil_mode=True, count_include_pad=False)
        features = self.fine(pictures)
        means = segment_means(features, labels, count, self.shrink)
        shrunk = self.shrink
        for one, other in zip(self.coarse[::2], self.coarse[1::2], strict=True):
            features = other(one(functional.avg_pool2d(features, 2, ceil_mode=True, count_include_pad=False)))
            shrunk *= 2
            means = means + segment_means(features, labels, count, shrunk)
        return means.view(*batch.geometry.shape[:3], -1)


class Layer(nn.Module):
    """Attention within each frame, then from each frame to the other one, with the same weights for both frames.

    Args:
        shape: Of the model.
    """

    def __init__(self, shape: AntShape) -> None:
        super().__init__()
        self.within = Attention(shape)
        self.across = Attention(shape)

    def forward(self, tokens: torch.Tensor, present: torch.Tensor, near: _Near | None) -> torch.Tensor:
        """New tokens.

        Args:
            tokens: ``(B, 2, K, C)``.
            present: ``(B, 2, K)`` bool.
            near: How segments lie to each other; None: attention does not know.
        """
        tokens = self.within(tokens, tokens, present, None if near is None else near.within)
        other = None if near is None else torch.stack([near.across, near.across.transpose(1, 2)], dim=1)
        return self.across(tokens, tokens.flip(1), present.flip(1), other)


class Attention(nn.Module):
    """Tokens look at others, and are changed by what they see.

    Args:
        shape: Of the model.
    """

    def __init__(self, shape: AntShape) -> None:
        super().__init__()
        self.heads, width = shape.heads, shape.width
        self.query, self.key, self.value, self.merge = (nn.Linear(width, width) for _ in range(4))
        self.change = _perceptron(2 * width, 2 * width, width)
        # a model begins as one that changes nothing
        nn.init.zeros_(self.change[-1].weight)
        nn.init.zeros_(self.change[-1].bias)
        self.bias = nn.Linear(_PAIR_WIDTH, self.heads) if shape.relative else None

    def forward(
        self, tokens: torch.Tensor, seen: torch.Tensor, present: torch.Tensor, near: torch.Tensor | None
    ) -> torch.Tensor:
        """New tokens.

        Args:
            tokens: ``(..., K, C)``: those that look.
            seen: ``(..., L, C)``: those that are looked at.
            present: ``(..., L)`` bool: which of these are no padding.
            near: ``(..., K, L, P)``: how they lie to each other.
        """
        query, key, value = (
            part(of).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for part, of in ((self.query, tokens), (self.key, seen), (self.value, seen))
        )
        weight = (query @ key.transpose(-2, -1)).float() / query.shape[-1] ** 0.5
        if self.bias is not None and near is not None:
            weight = weight + self.bias(near).movedim(-1, -3).float()
        weight = weight.masked_fill(~present[..., None, None, :], -1e9).softmax(dim=-1)
        message = self.merge((weight.to(value.dtype) @ value).transpose(-3, -2).flatten(-2))
        return tokens + self.change(torch.cat([tokens.to(message.dtype), message], dim=-1))


@dataclass(frozen=True)
class _Near:
    """How segments lie to each other: ``(B, 2, K, K, P)`` within each frame, ``(B, K, K, P)`` from one to the other."""

    within: torch.Tensor
    across: torch.Tensor


def _extents(geometry: torch.Tensor) -> torch.Tensor:
    """``(..., 3)``: logarithms of area, width and height."""
    width = geometry[..., 1] - geometry[..., 0] + 1
    height = geometry[..., 3] - geometry[..., 2] + 1
    return torch.stack([geometry[..., 6], width, height], dim=-1).clamp_min(1).log2()


def _pair_features(
    one: torch.Tensor, other: torch.Tensor, shape: torch.Tensor, other_shape: torch.Tensor, shared: torch.Tensor
) -> torch.Tensor:
    """``(B, K, L, 11)``: the way from one to the other, linear and by its logarithm, and how they differ."""
    way = (other[:, None] - one[:, :, None]) / _UNIT
    far = way.norm(dim=-1, keepdim=True)
    differ = other_shape[:, None] - shape[:, :, None]
    return torch.cat(
        [
            way.clamp(-8, 8),
            torch.sign(way) * torch.log1p(8 * way.abs()),
            torch.log1p(8 * far),
            torch.exp(-4 * far),
            differ,
            shared,
        ],
        dim=-1,
    )


_GUIDED_FEATURES = 6


def _vote_features(batch: AntBatch) -> torch.Tensor:
    """``(B, K, K, guides * 6)``: shares of votes there and back, and of the union, linear and by their logarithms."""
    here, there = batch.geometry[..., 6].clamp_min(1).unbind(1)
    pixels = torch.stack([here.unsqueeze(2).expand_as(batch.shared), there.unsqueeze(1).expand_as(batch.shared)], dim=1)
    votes = batch.votes.unflatten(1, (-1, 2))
    common = (votes * pixels.unsqueeze(1)).mean(2, keepdim=True)
    union = common / (pixels.sum(1)[:, None, None] - common).clamp_min(1)
    shares = torch.cat([votes, union.clamp(0, 1)], dim=2).flatten(1, 2).movedim(1, -1)
    return torch.cat([shares, (shares + _NO_VOTE).log() / 4], dim=-1)


def _ranks(batch: AntBatch, scores: torch.Tensor | None) -> torch.Tensor:
    """``(B, K, K, 2)``: logarithms of how probable a pair was in the round before, there and back; 0 before it."""
    if scores is None:
        return batch.shared.new_zeros(1, 1, 1, 2).expand(*batch.shared.shape, -1)
    present = batch.present
    allowed = present[:, 0, :, None] & present[:, 1, None, :]
    scores = scores.masked_fill(~allowed, -1e9)
    both = torch.stack([scores.log_softmax(2), scores.log_softmax(1)], dim=-1)
    return both.clamp_min(-12) / 4


def _motion_of_guide(batch: AntBatch) -> torch.Tensor:
    """``(B, 2, K, 3)``: how far the first guide says that segments move, as :func:`_motion`."""
    facts = batch.facts
    return torch.cat([facts[..., :2].clamp(-8, 8), facts[..., 4:5]], dim=-1)


def _positions(batch: AntBatch, rich: bool) -> torch.Tensor:
    """``(B, 2, K, 4)``: the box of each segment, centred in the frame; more of it where ``rich``."""
    middle = batch.sizes / 2
    unit = _POSITION_SHARE * batch.sizes.amax(1)[:, None, None, None]
    boxes = (batch.geometry[..., :4] - middle[:, None, None, [0, 0, 1, 1]]) / unit
    if not rich:
        return boxes
    extents = _extents(batch.geometry)
    filled = extents[..., :1] - extents[..., 1:2] - extents[..., 2:]
    centres = (batch.geometry[..., 4:6] - middle[:, None, None]) / unit
    return torch.cat([boxes, centres, extents / 8, filled], dim=-1)


def _motion(scores: torch.Tensor, unmatched: torch.Tensor, batch: AntBatch) -> torch.Tensor:
    """``(B, 2, K, 3)``: how far each segment is expected to move, in units, and how certain its match is.

    Of the target frame: where it came from.
    """
    present = batch.present
    centres = batch.geometry[..., 4:6]
    allowed = present[:, 0, :, None] & present[:, 1, None, :]
    scores = scores.masked_fill(~allowed, -1e9)
    there, back = scores.softmax(2), scores.softmax(1).transpose(1, 2)
    parts = []
    for frame, weight in ((0, there), (1, back)):
        way = (weight @ centres[:, 1 - frame] - centres[:, frame]) / _UNIT
        certain = weight.amax(2, keepdim=True)
        parts.append(torch.cat([way.clamp(-8, 8), certain], dim=-1))
    return torch.stack(parts, dim=1) * present.unsqueeze(-1)


class _Convolution(nn.Sequential):
    """Convolution, instance normalisation, ReLU."""

    def __init__(self, before: int, after: int, size: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, size, padding=size // 2),
            nn.InstanceNorm2d(after),
            nn.ReLU(inplace=True),
        )


def _perceptron(*widths: int) -> nn.Sequential:
    """Linear layers with layer normalisation and ReLU between them."""
    parts: list[nn.Module] = []
    for at, (before, after) in enumerate(pairwise(widths)):
        parts.append(nn.Linear(before, after))
        if at < len(widths) - 2:
            parts += [nn.LayerNorm(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts)
