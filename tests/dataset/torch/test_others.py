"""Other people's datasets give samples of the same shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
from torch.utils.data import DataLoader  # noqa: E402

from animerun_gen.dataset import files  # noqa: E402
from animerun_gen.dataset.torch import (  # noqa: E402
    ATD12K,
    CreativeFlow,
    FlyingThings3D,
    LinkToAnime,
    Sintel,
    collate,
)
from animerun_gen.errors import DatasetError  # noqa: E402
from tests.dataset import other_trees  # noqa: E402
from tests.dataset.other_trees import HEIGHT, WIDTH, motion, picture  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    other_trees.sintel(tmp_path / "sintel")
    other_trees.flying_things(tmp_path / "things")
    other_trees.creative_flow(tmp_path / "creative")
    other_trees.atd12k(tmp_path / "atd")
    # what reads OpenEXR has tests of its own
    other_trees.linkto(tmp_path / "linkto", lambda path, flow: files.write_flow(path, flow))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "folder", "options", "length", "keys"),
    [
        (Sintel, "sintel", {}, 4, {"flows", "valids", "occs"}),
        (Sintel, "sintel", {"split": "test", "pictures": "final"}, 4, set()),
        (FlyingThings3D, "things", {"directions": ("into_future", "into_past")}, 4, {"flows", "valids"}),
        (CreativeFlow, "creative", {}, 2, {"flows", "valids"}),
        (CreativeFlow, "creative", {"split": "test", "pictures": "style1"}, 2, {"flows", "valids"}),
        (ATD12K, "atd", {}, 2, set()),
    ],
)
def test_samples_have_the_keys_and_shapes_of_ours(
    root: Path, kind: Any, folder: str, options: dict[str, Any], length: int, keys: set[str]
) -> None:
    samples = kind(root / folder, **options)
    assert len(samples) == length
    for sample in samples:
        assert set(sample) == {"images", "meta", *keys}
        frames = 3 if kind is ATD12K else 2
        assert sample["images"].shape == (frames, 3, HEIGHT, WIDTH)
        assert sample["images"].dtype == torch.uint8
        if "flows" in keys:
            assert sample["flows"].shape == (1, 2, HEIGHT, WIDTH)
            assert sample["valids"].shape == (1, 1, HEIGHT, WIDTH)
    [batch] = DataLoader(samples, length, collate_fn=collate)
    assert batch["images"].shape[0] == length


def test_pictures_are_those_that_are_asked_for(root: Path) -> None:
    for style, name in enumerate(("clean", "final")):
        sample = Sintel(root / "sintel", pictures=name)[1]
        assert (sample["images"][0].permute(1, 2, 0).numpy() == picture(2, style)).all()
        wanted = motion(2, 3)
        wanted[1, 2] = 0
        assert (sample["flows"][0].permute(1, 2, 0).numpy() == wanted).all()
    both = Sintel(root / "sintel", pictures="random")
    assert {both[0]["meta"]["pictures"] for _ in range(40)} == {"clean", "final"}
    with pytest.raises(DatasetError, match="has no sample with all that is asked for: alley has no pictures 'albedo'"):
        Sintel(root / "sintel", pictures="albedo")


def test_linkto_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_read_exr", files.read_flow)
    samples = LinkToAnime(root / "linkto", "val")
    assert len(samples) == 4
    assert samples[1]["meta"]["scene"] == "street/model_1/front"
    assert float(samples[1]["flows"][0, 1, 0, 0]) == 2.0
