"""What is wrong with the configuration of a training is told in sentences, with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from animerun_gen.errors import ConfigError
from animerun_gen.training.config import read_training
from animerun_gen.training.flow_config import Augmentation, FlowTraining

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((PROJECT / "configs" / "training").glob("flow*.yaml"))

LEAST = """\
model: {name: "torchvision:raft_small"}
data:
  - {kind: animerun, root: out/demo}
schedule: {steps: 10, batch: 2, rate: 0.001}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "training.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_training(file, FlowTraining)
    return [sentence.removeprefix(f"{file}") for sentence in caught.value.problems]


def read(tmp_path: Path, text: str) -> FlowTraining:
    file = tmp_path / "training.yaml"
    file.write_text(text)
    return read_training(file, FlowTraining)


def test_what_is_not_said_is_as_the_paper_has_it(tmp_path: Path) -> None:
    wanted = read(tmp_path, LEAST)
    assert (wanted.crop, wanted.loss.gamma, wanted.loss.longest) == ((768, 368), 0.85, 400.0)
    assert wanted.augmentation == Augmentation()
    assert (wanted.schedule.optimizer, wanted.schedule.shape, wanted.schedule.clip) == ("adamw", "one_cycle", 1.0)
    assert wanted.data[0].repeat == 1


def test_the_papers_recipe_is_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANIMERUN", "FLYING_THINGS"):
        monkeypatch.setenv(name, "/data")
    wanted = read_training(PROJECT / "configs" / "training" / "flow_paper.yaml", FlowTraining)
    schedule = wanted.schedule
    assert (schedule.steps, schedule.batch * schedule.accumulate, wanted.crop) == (20_000, 12, (768, 368))
    assert (schedule.optimizer, schedule.rate, schedule.decay, schedule.shape) == ("adamw", 1e-4, 1e-5, "one_cycle")
    assert (wanted.loss.gamma, wanted.augmentation) == (0.85, Augmentation())
    assert {(data.kind, data.repeat) for data in wanted.data} == {("flying_things", 1), ("animerun", 200)}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_configurations_can_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANIMERUN", "FLYING_THINGS", "SINTEL", "GMFLOW_WEIGHTS"):
        monkeypatch.setenv(name, "/data")
    assert read_training(file, FlowTraining).data


def test_configurations_are_shipped() -> None:
    assert {file.stem for file in SHIPPED} >= {"flow_paper", "flow_small_cpu", "flow_gpu"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("steps: 10", "steps: 0", ":4: schedule.steps: must be a whole number from 1 to 100000000, but is 0"),
        ("rate: 0.001", "rate: 1e-3", ":4: schedule.rate: must be a number"),
        ("batch: 2", "batch: 2, seeds: 2", ":4: schedule.seeds: is not a known key; did you mean seed?"),
        (", batch: 2", "", ":4: schedule.batch: is missing; add it"),
        ("kind: animerun", "kind: spring", ":3: data[0].kind: must be "),
        (", root: out/demo", "", ":3: data[0].root: is missing"),
        ("animerun, root", "sintel, gaps: [2], root", "gaps and cuts are of animerun datasets"),
        ("animerun, root", "sintel, direction: both, root", "has motion forward alone"),
        ("root: out/demo", "root: '${NO_SUCH_FOLDER}/x'", "the environment variable NO_SUCH_FOLDER is not set"),
        ('raft_small"', 'raft_small", weights: a.pt, released: things', "both say what to begin with"),
        ("data:", "crop: [8, 64]\ndata:", ":2: crop[0]: must be a whole number from 16 to 16384, but is 8"),
        ("data:", "augmentation: {scale: [1, 0.5]}\ndata:", "scale must ascend"),
        ("data:", "augmentation: {erased_side: [50, 50]}\ndata:", "erased_side must ascend"),
        ("out/demo}", "out/demo}\nvalidation: [{kind: animerun, root: a}, {kind: animerun, root: b}]", "another name"),
        ("  - {kind: animerun, root: out/demo}", "  []", "data lists no dataset"),
    ],
)
def test_each_mistake_has_its_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in LEAST
    found = problems(tmp_path, LEAST.replace(old, new))
    assert len(found) == 1
    assert sentence in found[0]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = LEAST.replace("steps: 10", "steps: ten").replace("batch: 2", "batch: -2").replace("animerun", "anime")
    assert len(problems(tmp_path, text)) == 3


def test_paths_take_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FOLDER", "/films")
    wanted = read(tmp_path, LEAST.replace("out/demo", "'${SOME_FOLDER}/demo'"))
    assert wanted.data[0].root == Path("/films/demo")
