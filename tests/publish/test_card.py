"""A card says what is known and calls the rest unknown; its metadata are valid; no folder of anybody's is in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from animerun_gen.cli import main
from animerun_gen.dataset import write_json
from animerun_gen.errors import UsageError
from animerun_gen.publish.about import About
from animerun_gen.publish.card import write_card
from tests.export.clips import write_clip

ABOUT = About("Toy clips", "Ann Artist", "https://example.org/toy", "2026-11-28", "1.2.0")
CREDITED = {
    "license": "CC-BY-4.0",
    "author": "A. Film Maker",
    "source_url": "https://example.org/film",
    "attribution": "Film by A. Film Maker | CC BY 4.0",
}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "toy"
    write_clip(root)
    write_clip(root, "test", "other")
    write_manifest(root, "square", "train", CREDITED)
    write_quality(root, "square", invalid=0.25)
    return root


def write_manifest(root: Path, cut: str, split: str, credits: dict[str, str]) -> None:
    source = "/home/ann/secret films/run.blend"
    write_json(
        root / "manifest" / f"{cut}.json",
        {
            "version": 1,
            "cut": cut,
            "split": split,
            "made_with": {"engine": "Blender 4.5.15", "animerun_gen": "0.8.0"},
            "source": {"path": source, "sha256": hashlib.sha256(b"film").hexdigest()},
            "inputs": {},
            "config": {"source": source, **credits},
            "notes": [],
            "files": {},
        },
    )


def write_quality(root: Path, cut: str, invalid: float) -> None:
    way = {"invalid_share": invalid, "largest_motion": 12.5}
    pairs = [{"source": 8, "target": 10, "forward": way, "backward": {**way, "invalid_share": 0.0}}]
    write_json(root / "quality" / f"{cut}.json", {"cut": cut, "failures": [{}], "pairs": pairs})


def read_card(root: Path) -> tuple[dict[str, Any], str]:
    text = (root / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_head_is_what_hubs_read(dataset: Path) -> None:
    write_card(dataset, ABOUT)
    head, _ = read_card(dataset)
    assert head["license"] == "unknown"
    assert head["pretty_name"] == "Toy clips"
    assert head["size_categories"] == ["n<1K"]
    assert {"optical-flow", "animation"} < set(head["tags"])
    [config] = head["configs"]
    for files in config["data_files"]:
        assert len(list(dataset.glob(files["path"]))) == 3
    assert [files["split"] for files in config["data_files"]] == ["train", "test"]


def test_the_body_says_what_is_known_and_what_is_not(dataset: Path) -> None:
    _, questions = write_card(dataset, ABOUT)
    _, body = read_card(dataset)
    assert "6 frames in 2 clips" in body
    assert "| square | train | 3 | 24 x 16 | 12.50% | 12.5 px |" in body
    assert "| other | test | 3 | 24 x 16 | unknown | unknown |" in body
    assert "1 figures are beyond their thresholds" in body
    assert "| other | was not judged |" in body
    assert "| square | run.blend |" in body
    # a bar in a cell would begin another one
    assert "Film by A. Film Maker \\| CC BY 4.0" in body
    assert "| other | unknown | `unknown` | unknown | unknown | unknown | unknown |" in body
    assert "AnimeRun: 2D Animation Visual Correspondence" in body
    assert "](" not in body
    assert questions[0].startswith("license is unknown for other; set it in the configuration")
    assert questions[-1].startswith("the licence of the whole is unknown")


def test_films_of_one_licence_give_it_to_the_whole(dataset: Path) -> None:
    write_manifest(dataset, "other", "test", CREDITED)
    _, questions = write_card(dataset, ABOUT)
    assert questions == []
    assert read_card(dataset)[0]["license"] == "cc-by-4.0"
    metadata = json.loads((dataset / "croissant.json").read_text())
    assert metadata["license"] == "https://creativecommons.org/licenses/by/4.0/"


def test_nobodys_folders_are_in_it(dataset: Path) -> None:
    write_card(dataset, ABOUT)
    for name in ("README.md", "croissant.json"):
        text = (dataset / name).read_text(encoding="utf-8")
        assert "/home" not in text
        assert str(dataset.parent) not in text
        assert "secret" not in text


def test_the_metadata_are_valid_croissant(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    write_card(dataset, ABOUT)
    monkeypatch.chdir(dataset)
    read = mlcroissant.Dataset("croissant.json")
    assert not read.metadata.ctx.issues.errors
    assert not read.metadata.ctx.issues.warnings
    assert read.metadata.conforms_to == [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ]
    records = list(read.records("frame_files"))
    assert len(records) == 6
    paths = sorted(record["frame_files/path"].decode() for record in records)
    assert paths[0] == "test/Frame_Anime/other/original/0008.png"
    assert records[0]["frame_files/picture"].size == (24, 16)


def test_the_responsible_ai_fields(dataset: Path) -> None:
    write_card(dataset, ABOUT)
    metadata = json.loads((dataset / "croissant.json").read_text())
    for name in ("dataCollection", "dataAnnotationProtocol", "dataLimitations", "dataBiases", "dataUseCases"):
        assert metadata[f"rai:{name}"]
    assert "12.50%" in metadata["rai:dataLimitations"][1]


def test_the_same_dataset_has_the_same_card_and_it_is_made_again(dataset: Path) -> None:
    write_card(dataset, ABOUT)
    first = (dataset / "README.md").read_bytes(), (dataset / "croissant.json").read_bytes()
    write_card(dataset, ABOUT)
    assert first == ((dataset / "README.md").read_bytes(), (dataset / "croissant.json").read_bytes())


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_what_somebody_has_written_is_left_alone(name: str, dataset: Path) -> None:
    (dataset / name).write_text('{"mine": true}')
    with pytest.raises(UsageError, match="was not made by this command"):
        write_card(dataset, ABOUT)
    assert (dataset / name).read_text() == '{"mine": true}'
    write_card(dataset, ABOUT, force=True)
    assert (dataset / name).read_text() != '{"mine": true}'


def test_the_command(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(dataset), "--creator", "Ann Artist", "--date", "2026-11-28"]) == 0
    assert "README.md" in capsys.readouterr().out
    assert main(["card", str(dataset / "nowhere")]) == 2
