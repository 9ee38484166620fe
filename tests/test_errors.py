"""What is wrong, where, and what to do are fields of an error; the sentence is made of them."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import pytest

from animerun_gen import errors
from animerun_gen.dataset.files import read_flow, read_json
from animerun_gen.engines.children import ChildDied
from animerun_gen.errors import AnimerunGenError, ConfigError, DatasetError, UnreadableGeometryError


def test_the_examples() -> None:
    assert doctest.testmod(errors).failed == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (AnimerunGenError("the disk is full"), "the disk is full"),
        (DatasetError("is empty", Path("a/b.png")), "a/b.png is empty"),
        (DatasetError("is empty", Path("a;b.png"), "make it again"), "a;b.png is empty; make it again"),
        (DatasetError("has no frames", "cut 'a'", "leave it out"), "cut 'a': has no frames; leave it out"),
        (ConfigError(["a.yaml:1: x", "b.yaml:2: y"]), "a.yaml:1: x\nb.yaml:2: y"),
        (
            ChildDied("it crashed", "cut 'a'", "start it again", ". Its log is here"),
            "cut 'a': it crashed. Its log is here; start it again",
        ),
        (
            UnreadableGeometryError(3, {"Rain": "drops"}),
            "object 'Rain' draws drops, in frame 3, made by geometry nodes, whose motion cannot be followed; name it "
            "in 'remove.objects' of the cut's configuration, as 'animerun-gen init' does",
        ),
    ],
)
def test_an_error_is_the_same_in_another_process(error: AnimerunGenError, sentence: str) -> None:
    assert str(error) == sentence
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.sentences, vars(again)) == (sentence, error.sentences, vars(error))


def test_a_file_is_named_from_its_dataset_on(tmp_path: Path) -> None:
    error = DatasetError("is empty", tmp_path / "train" / "x.png", "make it again")
    assert str(error.below(tmp_path)) == "train/x.png is empty; make it again"
    assert str(error.below(tmp_path / "other")) == str(error)
    assert str(DatasetError("is empty").below(tmp_path)) == "is empty"


def test_what_is_wrong_with_a_file_is_known_whatever_it_is_called(tmp_path: Path) -> None:
    file = tmp_path / "is not; a [name]: 1.flo"
    with pytest.raises(DatasetError) as missing:
        read_json(file)
    assert (missing.value.where, missing.value.what) == (file, "is missing")
    file.write_bytes(b"PIEH")
    with pytest.raises(DatasetError) as torn:
        read_flow(file)
    assert (torn.value.where, torn.value.what, torn.value.remedy) == (
        file,
        "is not a .flo file: it does not begin with PIEH and a size",
        "delete it and make or download it again",
    )
