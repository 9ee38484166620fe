"""What a training of optical flow is asked to do: the sections of its YAML file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from animerun_gen.config.messages import Expected
from animerun_gen.config.model import Section
from animerun_gen.training.config import Crop, Data, FilePath, Name, Schedule, Share, Side, require_data

Gap = Annotated[int, Field(ge=1, le=1000)]
Options = Annotated[
    dict[Name, object], Expected("a mapping from names of options to numbers, texts, truth values or lists of them")
]


class Model(Section):
    """The network that is trained."""

    name: Name = Field(
        description="`torchvision:raft_small`, `torchvision:raft_large`, or `ptlflow:` and the name of one of its "
        "models, such as `ptlflow:gmflow_refine`."
    )
    weights: FilePath | None = Field(
        default=None,
        description="A file of weights to begin with: one that `animerun-gen train` wrote, or other people's for the "
        "same model.",
    )
    released: Name | None = Field(
        default=None,
        description="Name of weights that the library has released for the model, which it downloads: `things` of "
        "ptlflow, `C_T_V2` of torchvision.",
    )
    options: Options = Field(default={}, description="What the model takes beside its defaults.")
    freeze_batch_norm: bool = Field(
        default=True,
        description="Whether batch normalisation stays as the weights to begin with have it; false for a model that "
        "begins with random ones.",
    )

    @model_validator(mode="after")
    def _begins_with_one(self) -> Self:
        if self.weights is not None and self.released is not None:
            raise ValueError("weights and released both say what to begin with; remove one of them")
        return self


class Loss(Section):
    """What is to become less: the distances of all flows that the network gives, the last one counted most."""

    gamma: float = Field(
        default=0.85, gt=0, le=1, description="Weight of a flow, for each that follows it (RAFT's gamma)."
    )
    longest: float = Field(
        default=400.0, gt=0, le=100_000, description="Motion that is longer, in pixels of the crop, trains nothing."
    )


class Augmentation(Section):
    """What is done to samples before they are cropped; the defaults are those that RAFT was fine-tuned with."""

    scale: Annotated[
        tuple[float, float],
        Field(strict=False),
        Expected("a list [least, most] of two powers of two, such as [-0.2, 0.6]"),
    ] = Field(default=(-0.2, 0.6), description="Powers of two between which pictures are scaled.")
    scale_share: Share = Field(default=0.8, description="Share of samples that are scaled.")
    stretch: float = Field(default=0.2, ge=0, le=2, description="Powers of two by which width and height differ.")
    stretch_share: Share = Field(default=0.8, description="Share of the scaled samples that are stretched.")
    flip_horizontally: Share = Field(default=0.5, description="Share of samples that are mirrored left to right.")
    flip_vertically: Share = Field(default=0.1, description="Share of samples that are turned upside down.")
    brightness: Share = Field(default=0.4, description="Brightness is multiplied by 1 and up to so much more or less.")
    contrast: Share = Field(default=0.4, description="The same for contrast.")
    saturation: Share = Field(default=0.4, description="The same for saturation.")
    hue: float = Field(default=0.159, ge=0, le=0.5, description="Hue turns by up to so much of a full circle.")
    asymmetric: Share = Field(default=0.2, description="Share of samples whose two pictures are recoloured unlike.")
    erase: Share = Field(
        default=0.5, description="Share of samples in whose second picture one or two boxes take its mean colour."
    )
    erased_side: Annotated[
        tuple[Side, Side], Field(strict=False), Expected("a list [least, most] of two whole numbers of 16 or more")
    ] = Field(default=(50, 100), description="Sides of the boxes in pixels, the longer ones excluded.")

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        if not -4 <= self.scale[0] <= self.scale[1] <= 4:
            raise ValueError("scale must ascend and lie within -4 to 4; correct it")
        if self.erased_side[0] >= self.erased_side[1]:
            raise ValueError("erased_side must ascend; correct it")
        return self


class FlowData(Data):
    """A dataset with flow."""

    kind: Literal["animerun", "sintel", "flying_things", "creative_flow", "linkto_anime"] = Field(
        description="Whose layout it has: `animerun` is that of this project and of the published AnimeRun v2."
    )
    split: Name | None = Field(default=None, description="Its split; null: the one to train on.")
    pictures: Name | None = Field(
        default=None,
        description="What frames are drawn as: `frame`, `contour`, `color_1`, `clean` ..., `random`: one that is "
        "there, drawn anew each time; null: `random`.",
    )
    gaps: Annotated[tuple[Gap, ...], Field(strict=False, min_length=1)] = Field(
        default=(1,), description="How many frames of an `animerun` clip the two of a pair are apart."
    )

    @model_validator(mode="after")
    def _asks_for_what_there_is(self) -> Self:
        if self.kind != "animerun" and (self.gaps != (1,) or self.cuts is not None):
            raise ValueError(f"gaps and cuts are of animerun datasets; remove them from this one of kind {self.kind}")
        if self.kind not in ("animerun", "flying_things") and self.direction != "forward":
            raise ValueError(f"a dataset of kind {self.kind} has motion forward alone; remove direction")
        return self


class FlowTraining(Section):
    """A training of optical flow."""

    model: Model = Field(description="The network that is trained.")
    loss: Loss = Field(default=Loss(), description="What is to become less.")
    crop: Crop = Field(default=(768, 368), description="Width and height of the samples in pixels.")
    augmentation: Augmentation | None = Field(
        default=Augmentation(), description="What is done to samples before they are cropped; null: nothing."
    )
    data: Annotated[
        tuple[FlowData, ...], Field(strict=False), Expected("a list of datasets, each with kind and root")
    ] = Field(description="The datasets to train on.")
    validation: Annotated[
        tuple[FlowData, ...], Field(strict=False), Expected("a list of datasets, each with kind and root")
    ] = Field(default=(), description="The datasets that the network is tried on while it is trained.")
    schedule: Schedule = Field(description="How long, how fast and how exactly.")

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        require_data(self.data, [one.name or one.kind for one in self.validation])
        return self
