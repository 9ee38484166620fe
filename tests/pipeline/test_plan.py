from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from animerun_gen.config import CutConfig
from animerun_gen.config.palette import SHIPPED
from animerun_gen.engines.job import RenderJob
from animerun_gen.pipeline.chunks import split_job
from animerun_gen.pipeline.made import Wanted
from animerun_gen.pipeline.missing import find_missing
from animerun_gen.pipeline.state.fingerprints import STAGES, fingerprints
from animerun_gen.pipeline.state.ledger import CutLedger, MadeFrom, open_ledger, read_ledger
from animerun_gen.pipeline.state.on_disk import FilesOnDisk
from tests.pipeline.datasets import make_cut


@st.composite
def jobs(draw: st.DrawFn) -> RenderJob:
    step = draw(st.integers(1, 3))
    numbers = [1 + step * index for index in range(draw(st.integers(2, 40)))]
    frames = st.lists(st.sampled_from(numbers), unique=True).map(sorted).map(tuple)
    earlier = draw(st.lists(st.sampled_from(numbers[:-1]), unique=True).map(sorted))
    return RenderJob(
        config=CutConfig.model_validate(
            {
                "name": "a",
                "source": Path("/film.blend"),
                "frames": {"first": numbers[0], "last": numbers[-1], "step": step},
            }
        ),
        output=Path("out"),
        pictures=draw(frames),
        material_pictures=draw(frames),
        identity_pictures=draw(frames),
        companions=draw(frames),
        pairs=tuple((frame, frame + step) for frame in earlier),
        cross_check=draw(st.booleans()),
    )


@given(jobs(), st.integers(0, 12))
@settings(max_examples=200)
def test_parts_of_a_job_make_the_same_files_each_once(job: RenderJob, parts: int) -> None:
    split = split_job(job, parts)
    assert len(split) <= max(1, parts)
    for name in ("pictures", "material_pictures", "identity_pictures", "companions", "pairs"):
        # in this order means: ascending within parts and from part to part
        assert tuple(item for part in split for item in getattr(part, name)) == getattr(job, name)
    assert all(part.frames for part in split)
    for part in split:
        assert (part.config, part.output, part.cross_check) == (job.config, job.output, job.cross_check)


def test_only_what_is_asked_for_and_worked_on_is_missing(tmp_path: Path) -> None:
    config = make_cut(tmp_path, {"motion": {"gaps": (1, 2)}})
    found = FilesOnDisk(tmp_path / "out", config.split, config.name)
    missing = find_missing(Wanted.of(config), (2, 3, 4), found, ("pictures", "motion"))
    assert missing.pictures == missing.companions == (2, 3, 4)
    assert missing.pairs == ((2, 3), (2, 4), (3, 4))
    assert (missing.labels, missing.pair_labels, missing.passes) == ((), (), ())
    missing = find_missing(Wanted.of(config), (2, 3, 4), found, ("labels", "recolor"))
    assert (missing.pictures, missing.companions, missing.pairs) == ((), (), ())
    assert (missing.labels, missing.pair_labels) == ((2, 3, 4), ((2, 3), (3, 4)))


def test_neighbours_that_were_compared_one_way_are_compared_again(tmp_path: Path) -> None:
    config = make_cut(tmp_path)
    found = FilesOnDisk(tmp_path / "out", config.split, config.name)
    compared = [(1, 2), (2, 1), (2, 3)]
    assert find_missing(Wanted.of(config), (1, 2, 3), found, (), compared).pairs == ((2, 3),)
    assert find_missing(Wanted.of(config), (1, 2, 3), found, ()).pairs == ()


@given(jobs(), st.integers(1, 12))
@settings(max_examples=100)
def test_parts_of_a_job_are_even(job: RenderJob, parts: int) -> None:
    sizes = [
        len(
            {
                *part.pictures,
                *part.material_pictures,
                *part.identity_pictures,
                *part.companions,
                *(earlier for earlier, _ in part.pairs),
            }
        )
        for part in split_job(job, parts)
    ]
    assert all(size == sizes[0] for size in sizes[:-1])
    assert not sizes or sizes[-1] <= sizes[0]


EVERYTHING = {"pictures", "motion", "labels"}

# Every field of the configuration, with another value for it and the stages whose files depend on it.  Colour passes
# ("recolor") are made from pictures and motion, so where one of these is named they go without saying.
FIELDS: dict[str, tuple[Any, set[str]]] = {
    "name": ("another", set()),
    "split": ("test", set()),
    # they decide a split that is found
    "film": ("another", set()),
    "auto_split.train": (0.8000001, set()),
    "auto_split.val": (0.1000001, set()),
    "auto_split.test": (0.1000001, set()),
    "auto_split.seed": (1, set()),
    # its content counts, not its place
    "source": (Path("/elsewhere/film.blend"), set()),
    # they change what is said of the files, and no file
    "license": ("CC-BY-4.0", set()),
    "author": ("somebody", set()),
    "source_url": ("https://example.org/film", set()),
    "attribution": ("somebody made the film", set()),
    "scene": ("Scene.002", EVERYTHING),
    "view_layer": ("Characters", EVERYTHING),
    "camera": ("Camera.002", EVERYTHING),
    # it says nothing but what other fields say
    "look": ("television", EVERYTHING),
    # split cuts are split before anything is planned
    "camera_cuts": ("mark", set()),
    "trust_scripts": (True, EVERYTHING),
    # it also chooses the points of the tracks, whose file says itself what it was made with
    "seed": (1, {"recolor"}),
    # colours are read from the shaders at the first frame
    "frames.first": (2, EVERYTHING),
    # colours are chosen for the whole clip
    "frames.last": (9, {"recolor"}),
    "frames.offset": (1, EVERYTHING),
    "frames.step": (2, {"motion", "labels"}),
    "frame_rate": (25.0, EVERYTHING),
    "resolution": ((64, 32), EVERYTHING),
    "remove.objects": (("fog*",), EVERYTHING),
    "remove.collections": (("fog*",), EVERYTHING),
    "remove.materials": (("fog*",), EVERYTHING),
    "remove.rules": (("volumes",), EVERYTHING),
    "remove.glow_strength": (3.0, EVERYTHING),
    "remove.glow_size": (0.5, EVERYTHING),
    "keep.objects": (("fog*",), EVERYTHING),
    "keep.collections": (("fog*",), EVERYTHING),
    "keep.materials": (("fog*",), EVERYTHING),
    "hair.mode": ("remove", EVERYTHING),
    # no other mode has an object
    "hair.object": ("blade", EVERYTHING),
    "hair.locks": (20, EVERYTHING),
    "hair.systems": ({"fur": {"mode": "remove"}}, EVERYTHING),
    "particles.mode": ("remove", EVERYTHING),
    "particles.size": (0.5, EVERYTHING),
    "particles.systems": ({"dust": {"mode": "remove"}}, EVERYTHING),
    "grease_pencil": ("remove", EVERYTHING),
    "transparency.alpha_textures": ("solid", EVERYTHING),
    "transparency.threshold": (0.25, EVERYTHING),
    "transparency.materials": ({"leaf*": "solid"}, EVERYTHING),
    "camera_motion.focal_length": ("keep", EVERYTHING),
    "recenter": (True, EVERYTHING),
    "camera_motion.fixed_focal_length": (35.0, EVERYTHING),
    "camera_motion.focus_distance": (3.0, EVERYTHING),
    "camera_motion.keyframes": (({"frame": 1, "location": (0, 0, 0), "target": (0, 1, 0)},), EVERYTHING),
    "style.color": ("texture", {"pictures", "labels"}),
    "style.color_source": ("shader", {"pictures", "labels"}),
    "style.textures": ({"skin": "checks"}, {"pictures", "labels"}),
    "style.overrides": ({"skin": "#ffccaa"}, {"pictures", "labels"}),
    "style.background": ("#000001", {"pictures", "labels"}),
    "style.shade.tones": (3, {"pictures", "labels"}),
    "style.shade.light": ("lamp", {"pictures", "labels"}),
    "style.shade.direction": ((0.0, 0.0, -1.0), {"pictures", "labels"}),
    "style.shade.direction_space": ("camera", {"pictures", "labels"}),
    "style.shade.terminator": (0.3, {"pictures", "labels"}),
    "style.shade.highlight": (0.9, {"pictures", "labels"}),
    "style.shade.smallest": (50, {"pictures", "labels"}),
    "style.shade.cast": ({"sky": False}, {"pictures", "labels"}),
    "style.shade.receive": ({"eyes": "none"}, {"pictures", "labels"}),
    "style.shade.value": (0.5, {"pictures", "labels"}),
    "style.shade.hue": (200.0, {"pictures", "labels"}),
    "style.shade.hue_shift": (5.0, {"pictures", "labels"}),
    "style.shade.tint": (0.05, {"pictures", "labels"}),
    "style.shade.highlight_value": (0.6, {"pictures", "labels"}),
    # its content counts, not its place
    "style.shade.palette": (Path("/elsewhere/palette.yaml"), set()),
    "style.shade.shadows": ({"skin": "#aa8877"}, {"pictures", "labels"}),
    "style.shade.highlights": ({"skin": "#ffeedd"}, {"pictures", "labels"}),
    "lines.engine": ("geometry", {"pictures", "labels"}),
    "lines.outline": (False, {"pictures", "labels"}),
    "lines.intersections": (False, {"pictures", "labels"}),
    "lines.freestyle": (False, {"pictures", "labels"}),
    "lines.edges": (("crease",), {"pictures", "labels"}),
    "lines.crease_angle": (100.0, {"pictures", "labels"}),
    "lines.thickness": (2.0, {"pictures", "labels"}),
    "lines.color": ("#000001", {"pictures", "labels"}),
    "lines.gamma": (0.5, {"pictures", "labels"}),
    "lines.kinds": (False, {"pictures", "labels"}),
    "lines.shade_border": (True, {"pictures", "labels"}),
    "lines.style.antialias": (True, {"pictures", "labels"}),
    "lines.style.thickness": (2.5, {"pictures", "labels"}),
    "lines.style.rules": (({"on": "skin*", "kinds": ("crease",), "color": "auto"},), {"pictures", "labels"}),
    "lines.style.auto_value": (0.6, {"pictures", "labels"}),
    "lines.style.auto_chroma": (1.0, {"pictures", "labels"}),
    "lines.style.depth.near": (5.0, {"pictures", "labels"}),
    "lines.style.depth.far": (50.0, {"pictures", "labels"}),
    "lines.style.depth.thickness": (0.5, {"pictures", "labels"}),
    "lines.style.hand.thickness": (0.2, {"pictures", "labels"}),
    "lines.style.hand.offset": (0.5, {"pictures", "labels"}),
    "lines.style.gaps.share": (0.1, {"pictures", "labels"}),
    "lines.style.gaps.radius": (3.0, {"pictures", "labels"}),
    # strokes are there or missing, and change no other file
    "lines.vector": (True, set()),
    # they count where layers are held
    "timing.layers": ({"set": {"on": 2}}, {"pictures", "motion", "labels"}),
    # its content counts, not its place
    "timing.sheet": (Path("/elsewhere/sheet.csv"), set()),
    "timing.cells": ("drawings", {"pictures", "motion", "labels"}),
    "motion.backend": ("cycles", {"motion", "labels"}),
    "motion.background": ("static", {"motion", "labels"}),
    # marked or refused, the files are the same
    "motion.unknown": ("fill", {"motion", "labels"}),
    # each companion is there or missing, and none changes another file
    "motion.extras": (("ids", "depth"), set()),
    # likewise
    "motion.gaps": ((1, 2), set()),
    "motion.tracks": (5, set()),
    "labels.occlusion_threshold": (1.0, {"labels"}),
    "labels.line_distance": (5.0, {"labels"}),
    "labels.line_threshold": (100, {"labels"}),
    "labels.ball_radius": (2, {"labels"}),
    "labels.segment_by": ("regions", {"labels"}),
    "labels.match_occlusion": ("exact", {"labels"}),
    # each pass is there or missing, and none changes another one
    "dataset.compression": ("npz", {"labels"}),
    "layers.groups": ({"square": {"objects": ["Square"]}}, {"pictures", "motion", "labels"}),
    "layers.write": (False, {"pictures", "motion", "labels"}),
    # cels in other colours are there or missing; what only they show gets a colour, too
    "layers.passes": (True, {"recolor"}),
    "recolor.passes": (2, set()),
    # its content counts, not its place
    "recolor.palette": (Path("/elsewhere/palette.yaml"), set()),
    "recolor.keep": (("skin",), {"recolor"}),
    # limits of the summary, no file but the figures has them
    "quality.max_warp_error": (0.5, set()),
    "quality.max_flat_warp_error": (0.5, set()),
    "quality.max_edge_error": (0.5, set()),
    "quality.max_round_trip": (0.5, set()),
    "quality.max_identity_error": (0.5, set()),
    "quality.max_reprojection_error": (0.5, set()),
    "quality.min_agreement": (0.5, set()),
    "quality.max_leaks": (0.5, set()),
    "quality.min_surfaces": (0.5, set()),
    "quality.max_one_surface": (0.5, set()),
    "quality.max_one_color": (0.5, set()),
    "quality.max_lines": (0.25, set()),
}


RECOLORED = {"recolor": {"passes": 1}}
LAYERED = {"layers": {"write": True}, "lines": {"engine": "geometry"}}
SHADED = {"style": {"shade": {"tones": 2}}}


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Nested dictionaries as one; the second is the stronger."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


DRAWN = merged(SHADED, {"lines": {"engine": "geometry", "kinds": True}})
"""With lines that have kinds and may have a style."""


def fields_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += fields_of(field.annotation, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def prints(config: CutConfig, engine: str = "Blender 4", source: str = "digest") -> dict[str, str]:
    return fingerprints(config, engine, source)


def changed_stages(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {stage for stage in STAGES if one.get(stage) != other.get(stage)}


def test_strokes_with_borders_of_the_shade_belong_to_pictures(tmp_path: Path) -> None:
    strokes = merged(SHADED, {"lines": {"engine": "geometry", "vector": True}})
    without = make_cut(tmp_path, strokes)
    bordered = make_cut(tmp_path, merged(strokes, {"lines": {"shade_border": True}}))
    assert "pictures" in changed_stages(prints(without), prints(bordered))


@pytest.mark.parametrize("field", fields_of(CutConfig))
def test_every_field_belongs_to_the_stages_that_depend_on_it(tmp_path: Path, field: str) -> None:
    assert field in FIELDS, "a new field: say above which files depend on it, and put it into fingerprints()"
    value, stages = FIELDS[field]
    needs_shade = field.startswith("style.shade.") or field == "labels.segment_by"
    begun = merged(RECOLORED, SHADED) if needs_shade else RECOLORED
    if field in ("lines.kinds", "lines.shade_border") or field.startswith("lines.style."):
        begun = merged(RECOLORED, DRAWN)
    if field.startswith("layers."):
        begun = merged(begun, LAYERED)
    if field == "style.shade.palette":
        begun = merged(begun, {"style": {"shade": {"palette": str(SHIPPED)}}})
    if field == "lines.vector":
        begun = merged(begun, {"lines": {"engine": "geometry"}})
    if field.startswith("timing."):
        sheet = tmp_path / "sheet.csv"
        sheet.write_text("frame,set\n")
        timing = {"sheet": sheet} if field != "timing.layers" else {}
        begun = merged(begun, {"lines": {"engine": "geometry"}, "timing": timing})
    config = make_cut(tmp_path, begun)
    changes: Any = value
    for key in reversed(field.split(".")):
        changes = {key: changes}
    if field == "hair.object":
        changes["hair"]["mode"] = "instance"
    if field == "recolor.palette":
        # another place of the same palette
        changes["recolor"]["palette"] = shutil.copy(SHIPPED, tmp_path)
    if field == "style.shade.palette":
        changes["style"]["shade"]["palette"] = shutil.copy(SHIPPED, tmp_path)
    if field == "timing.sheet":
        changes["timing"]["sheet"] = shutil.copy(tmp_path / "sheet.csv", tmp_path / "another.csv")
    changed = make_cut(tmp_path, merged(begun, changes))
    assert changed != config
    if stages & {"pictures", "motion"} and "recolor" in begun:
        stages = stages | {"recolor"}
    assert changed_stages(prints(config), prints(changed)) == stages


def test_colour_passes_depend_on_the_palette_and_no_other_stage_does(tmp_path: Path) -> None:
    palette = tmp_path / "palette.yaml"
    config = make_cut(tmp_path, merged(RECOLORED, {"recolor": {"palette": palette}}))
    palette.write_text("one")
    one = prints(config)
    palette.write_text("another")
    assert changed_stages(one, prints(config)) == {"recolor"}
    assert "recolor" not in fingerprints(make_cut(tmp_path), "Blender 4", "digest")


def test_what_was_made_before_there_was_shade_stands(tmp_path: Path) -> None:
    """Keys of the shade count for nothing where there is none."""
    config = make_cut(tmp_path, RECOLORED)
    other = make_cut(tmp_path, merged(RECOLORED, {"style": {"shade": {"value": 0.5, "light": "lamp"}}}))
    assert other != config
    assert prints(other) == prints(config)


def test_a_hand_and_gaps_depend_on_the_seed(tmp_path: Path) -> None:
    for style, stages in (({}, set()), ({"gaps": {"share": 0.1}}, {"pictures", "labels"})):
        config = make_cut(tmp_path, merged(DRAWN, {"lines": {"style": style}}))
        other = make_cut(tmp_path, merged(DRAWN, {"lines": {"style": style}, "seed": 7}))
        assert changed_stages(prints(config), prints(other)) == stages


def test_what_was_made_before_there_were_layers_stands(tmp_path: Path) -> None:
    """Groups count for nothing where no layer is written."""
    config = make_cut(tmp_path, RECOLORED)
    other = make_cut(tmp_path, merged(RECOLORED, {"layers": {"groups": {"hero": {"objects": ["Hero"]}}}}))
    assert other != config
    assert prints(other) == prints(config)


def test_pictures_depend_on_the_palette_of_their_shade(tmp_path: Path) -> None:
    palette = tmp_path / "palette.yaml"
    config = make_cut(tmp_path, {"style": {"shade": {"tones": 2, "palette": palette}}})
    palette.write_text("one")
    one = prints(config)
    palette.write_text("another")
    assert changed_stages(one, prints(config)) == {"pictures", "labels"}


def test_pictures_and_motion_depend_on_the_exposure_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    config = make_cut(tmp_path, {"lines": {"engine": "geometry"}, "timing": {"sheet": sheet}})
    sheet.write_text("one")
    one = prints(config)
    sheet.write_text("another")
    assert changed_stages(one, prints(config)) == EVERYTHING - {"recolor"}


def test_where_layers_are_held_frames_depend_on_the_step_and_on_what_the_layers_are(tmp_path: Path) -> None:
    timed = {"lines": {"engine": "geometry"}, "timing": {"layers": {"set": {"on": 2}}}, "frames": {"last": 9}}
    config = make_cut(tmp_path, timed)
    for change in ({"frames": {"step": 2}}, {"layers": {"groups": {"hero": {"objects": ["walker"]}}}}):
        assert changed_stages(prints(config), prints(make_cut(tmp_path, merged(timed, change)))) == {
            "pictures",
            "motion",
            "labels",
        }


def test_no_field_is_listed_that_does_not_exist() -> None:
    assert set(FIELDS) == set(fields_of(CutConfig))


def test_source_and_blender_change_every_stage(tmp_path: Path) -> None:
    config = make_cut(tmp_path)
    assert changed_stages(prints(config), prints(config, engine="Blender 5")) == EVERYTHING
    assert changed_stages(prints(config), prints(config, source="another")) == EVERYTHING


def test_the_program_version_changes_every_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_cut(tmp_path)
    before = prints(config)
    monkeypatch.setattr("animerun_gen.pipeline.state.fingerprints.__version__", "999")
    assert changed_stages(before, prints(config)) == EVERYTHING


def test_the_order_of_overrides_matters(tmp_path: Path) -> None:
    one = make_cut(tmp_path, {"style": {"overrides": {"skin*": "#ffccaa", "*": "#808080"}}})
    other = make_cut(tmp_path, {"style": {"overrides": {"*": "#808080", "skin*": "#ffccaa"}}})
    assert one == other
    assert changed_stages(prints(one), prints(other)) == {"pictures", "labels"}


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    made_from = MadeFrom(
        fingerprints={"pictures": "a"},
        inputs={"/lib.blend": "b"},
        notes=("n",),
        config=make_cut(tmp_path).model_dump(mode="json"),
        engine="Blender 4",
        source="c",
    )
    open_ledger(tmp_path, "square").keep(made_from=made_from)
    assert read_ledger(tmp_path, "square").made_from == made_from
    assert read_ledger(tmp_path, "none") == CutLedger()
