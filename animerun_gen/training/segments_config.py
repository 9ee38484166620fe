"""What a training of segment matching is asked to do: the sections of its YAML file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from animerun_gen.config.messages import Expected
from animerun_gen.config.model import Section
from animerun_gen.training.config import Crop, Data, Name, Schedule, Share, require_data

Guide = Literal["dis", "farneback"]
Channels = Annotated[int, Field(ge=1, le=4096)]


class AntModel(Section):
    """The network that is trained; the defaults are AnT as the authors of AnimeRun trained it."""

    channels: Annotated[
        tuple[Channels, Channels, Channels], Field(strict=False), Expected("a list of three whole numbers")
    ] = Field(default=(32, 64, 128), description="Of the descriptor's convolutions; the last one is a token's width.")
    heads: int = Field(default=4, ge=1, le=64, description="Of each attention.")
    layers: int = Field(default=12, ge=1, le=64, description="Pairs of self and cross attention.")
    shrink: int = Field(
        default=1, ge=1, le=16, description="The pictures are made smaller by this factor, which is as much faster."
    )
    context: int = Field(
        default=0, ge=0, le=6, description="How often the descriptor looks at a picture half as large again."
    )
    rounds: int = Field(
        default=1,
        ge=1,
        le=8,
        description="How often segments are matched: each round knows how far they moved by the round before.",
    )
    relative: bool = Field(
        default=False, description="Whether attention and scores are told how two segments lie to each other."
    )
    occlusion: Literal["column", "head"] = Field(
        default="column",
        description="What speaks for no match: one number for all segments, or one that each segment has of its own.",
    )
    sinkhorn: int = Field(
        default=0, ge=0, le=200, description="How often rows and columns of the scores are balanced; 0: a softmax."
    )

    guide: Annotated[tuple[Guide, ...], Field(strict=False), Expected("a list of flow methods: dis, farneback")] = (
        Field(
            default=(),
            description="Flow methods without weights, `dis` and `farneback`, whose votes the matches begin from; "
            "what is learnt is where the votes of the first one are wrong.",
        )
    )

    @model_validator(mode="after")
    def _can_be_shared_out(self) -> Self:
        if self.channels[-1] % self.heads:
            raise ValueError(f"the last of channels must be a multiple of heads, {self.heads}; correct one of them")
        if self.layers % self.rounds:
            raise ValueError(f"layers must be a multiple of rounds, {self.rounds}; correct one of them")
        if len(set(self.guide)) < len(self.guide):
            raise ValueError("guide names a flow method more than once; remove the repetition")
        return self


class AntLoss(Section):
    """What is to become less: the surprise at the first match."""

    occluded_weight: float = Field(
        default=1.0, gt=0, le=1000, description="How much an occluded segment counts beside one that has a match."
    )
    earlier_rounds: float = Field(
        default=0.5, ge=0, le=1, description="How much a round counts beside the one that follows it."
    )


class SegmentAugmentation(Section):
    """What is done to pairs before they are cropped; segments follow."""

    shift: int = Field(
        default=24, ge=0, le=1024, description="Pixels by which the second crop lies elsewhere at most, each way."
    )
    flip_horizontally: Share = Field(default=0.5, description="Share of pairs that are mirrored left to right.")
    flip_vertically: Share = Field(default=0.1, description="Share of pairs that are turned upside down.")


class SegmentData(Data):
    """A dataset with segments, in the layout of this project and of AnimeRun v2."""

    split: Name = Field(default="train", description="Its split.")
    pictures: Name = Field(
        default="frame",
        description="What frames are drawn as: `frame`, `contour`, `color_1` ..., `random`: the colour frame or one of "
        "the passes, drawn anew each time.",
    )


class SegmentTraining(Section):
    """A training of segment matching."""

    model: AntModel = Field(default=AntModel(), description="The network that is trained.")
    loss: AntLoss = Field(default=AntLoss(), description="What is to become less.")
    crop: Crop = Field(default=(368, 368), description="Width and height of the crops in pixels.")
    augmentation: SegmentAugmentation | None = Field(
        default=SegmentAugmentation(), description="What is done to pairs before they are cropped; null: nothing."
    )
    data: Annotated[tuple[SegmentData, ...], Field(strict=False), Expected("a list of datasets, each with root")] = (
        Field(description="The datasets to train on.")
    )
    validation: Annotated[
        tuple[SegmentData, ...], Field(strict=False), Expected("a list of datasets, each with root")
    ] = Field(default=(), description="The datasets that the network is tried on while it is trained.")
    schedule: Schedule = Field(description="How long, how fast and how exactly.")

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        require_data(self.data, [one.name or one.split for one in self.validation])
        return self
