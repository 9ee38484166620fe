"""The toy dataset against formulas: flow, validity, colours and counts."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from animerun_gen.config.model import Extra
from animerun_gen.conventions import known_flow
from animerun_gen.dataset import Dataset, enabled_modalities
from animerun_gen.dataset.files import read_json
from scenes.choreography import EVERYTHING, SCENES, Choreography
from scenes.workshop import CUT
from tests.blender import analytic
from tests.blender.conftest import CLIPS, FAR_CLIPS, GAPS, LAST_FRAMES, RESOLUTION

pytestmark = pytest.mark.blender

LEAST_CHECKED = {"courier": 0.9, "festival": 0.9, "workshop-1": 0.8}
"""Share of each picture for which a formula must exist; the rest bends between bones, or has no true motion."""


def scene_of(clip: str) -> Choreography:
    """The scene that a clip is a stretch of."""
    return SCENES[clip.partition("-")[0]]


@pytest.mark.parametrize("toy", CLIPS)
def test_flow_is_the_analytic_projection(toy_dataset: Dataset, toy: str) -> None:
    clip, scene = toy_dataset.clip(toy), scene_of(toy)
    surfaces: set[str] = set()
    largest_motion = 0.0
    for earlier, later in pairwise(clip.frame_numbers):
        for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
            result = analytic.compare(clip, scene, direction, source, target)
            if EVERYTHING in scene.invalid(source, target):
                continue
            assert result.largest < 1e-3, (source, target)
            assert result.checked_share > LEAST_CHECKED.get(toy, 0.99), (source, target)
            surfaces |= result.surfaces
            flow = clip.read_motion(direction, source)
            largest_motion = max(largest_motion, float(np.abs(flow[known_flow(flow)]).max()))
    assert len(surfaces) >= 8
    assert largest_motion > 2.0 or toy == "still"


@pytest.mark.parametrize("gap", GAPS[1:])
@pytest.mark.parametrize("toy", FAR_CLIPS)
def test_flow_over_a_gap_is_the_analytic_projection(toy_dataset: Dataset, toy: str, gap: int) -> None:
    clip, scene = toy_dataset.clip(toy), scene_of(toy)
    numbers = clip.frame_numbers
    known = undefined = 0
    for earlier, later in zip(numbers, numbers[gap:], strict=False):
        for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
            result = analytic.compare(clip, scene, direction, source, target, gap)
            undefined += len(scene.invalid(source, target))
            if EVERYTHING not in scene.invalid(source, target):
                assert result.largest < 1e-3, (source, target)
                assert result.checked_share > LEAST_CHECKED.get(toy, 0.99), (source, target)
                known += 1
            valid = clip.read(f"valid_{direction}_gap{gap}", source)
            flow = clip.read(f"flow_{direction}_gap{gap}", source)
            # the toys of the test split are filled
            assert np.array_equal(known_flow(flow), valid | (clip.split == "test"))
            assert clip.read(f"exact_occlusion_{direction}_gap{gap}", source)[~valid].all()
    assert known >= 8
    assert (undefined > 0) == (toy == "workshop-1")


@pytest.mark.parametrize("toy", FAR_CLIPS)
def test_motion_between_any_two_frames_is_that_of_the_gaps(toy_dataset: Dataset, toy: str) -> None:
    clip = toy_dataset.clip(toy)
    numbers = clip.frame_numbers
    hidden = 0
    # whatever is the same in three of four places is left to those
    for gap in GAPS:
        suffix = f"_gap{gap}" if gap > 1 else ""
        for earlier, later in list(zip(numbers, numbers[gap:], strict=False))[::4]:
            for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
                found = clip.flow_between(source, target)
                valid, flow = found.valid, clip.read(f"flow_{direction}{suffix}", source)
                # elsewhere the toys of the test split are filled
                assert np.array_equal(found.flow[valid], flow[valid]), (source, target)
                assert np.array_equal(valid, clip.read(f"valid_{direction}{suffix}", source))
                occluded = clip.read(f"exact_occlusion_{direction}{suffix}", source)
                assert np.array_equal(found.occluded, occluded), (source, target)
                hidden += (found.occluded & found.valid).sum()
    assert hidden > 1000


@pytest.mark.parametrize("toy", CLIPS)
def test_cameras_bring_depth_where_flow_and_change_of_depth_lead(toy_dataset: Dataset, toy: str) -> None:
    """What stands still in the world is there in both frames, by files alone; the gate's figure says the same."""
    clip = toy_dataset.clip(toy)
    quality = read_json(clip.root / "quality" / f"{toy}.json")
    judged = [pair[direction] for pair in quality["pairs"] for direction in ("forward", "backward")]
    errors = [figures["reprojection_error"] for figures in judged if figures["reprojection_error"] is not None]
    assert errors
    assert max(errors) < 1e-3
    earlier, later = clip.frame_numbers[:2]
    change, flow = clip.read("depth_change_forward", earlier), clip.read("flow_forward", earlier)
    shown = clip.read("object_id", earlier) > 0
    assert np.array_equal(np.isfinite(change), shown & clip.read("valid_forward", earlier))
    y, x = np.nonzero(np.isfinite(change))
    xy, depth = np.stack([x, y], axis=-1), clip.read("depth", earlier)[y, x]
    here = clip.camera(earlier).unproject(depth, xy)
    there = clip.camera(later).unproject(depth + change[y, x], xy + flow[y, x])
    still = np.linalg.norm(there - here, axis=-1) < 1e-4 * depth
    # a world that moved as a whole, or not at all, would pass as well; a wrong camera does not
    assert still.mean() > 0.1
    if toy in FAR_CLIPS:
        tracks = clip.read_tracks()
        for row, frame in enumerate(tracks.frames):
            known = tracks.known[row]
            projected = clip.camera(frame).project(tracks.world[row, known])
            assert np.abs(projected - tracks.position[row, known]).max() < 1e-6


@pytest.mark.parametrize("toy", FAR_CLIPS)
def test_tracks_are_the_analytic_projection(toy_dataset: Dataset, toy: str) -> None:
    clip, scene = toy_dataset.clip(toy), scene_of(toy)
    tracks = clip.read_tracks()
    assert tracks.position.shape == (len(clip.frame_numbers), 300, 2)
    queries = np.unique(tracks.query_frame).tolist()
    assert len(queries) == 8
    surfaces: set[str] = set()
    compared = 0
    for query in queries:
        for target in clip.frame_numbers:
            result = analytic.compare_tracks(clip, scene, query, target)
            assert result.largest < 1e-3, (query, target)
            compared += sum(len(part) for part in result.difference)
            surfaces |= result.surfaces
    assert len(surfaces) >= 8
    assert compared > (0.6 if toy == "workshop-1" else 0.95) * tracks.known.size
    assert tracks.known.all() == (toy != "workshop-1")


@pytest.mark.parametrize("toy", FAR_CLIPS)
def test_tracks_are_the_flow_of_their_query_pixels(toy_dataset: Dataset, toy: str) -> None:
    clip = toy_dataset.clip(toy)
    tracks = clip.read_tracks()
    numbers = clip.frame_numbers
    compared = hidden = 0
    for gap in GAPS:
        suffix = f"_gap{gap}" if gap > 1 else ""
        for row, query in enumerate(numbers):
            own = np.flatnonzero(tracks.query_frame == query)
            x, y = tracks.position[row, own].astype(int).T
            assert np.array_equal(tracks.object_id[own], clip.read("object_id", query)[y, x])
            assert np.array_equal(tracks.material_id[own], clip.read("material_id", query)[y, x])
            for direction, other in (("forward", row + gap), ("backward", row - gap)):
                if not (len(own) and 0 <= other < len(numbers)):
                    continue
                flow = clip.read_motion(direction, query, gap)[y, x]
                known = clip.read(f"valid_{direction}{suffix}", query)[y, x]
                occluded = clip.read(f"exact_occlusion_{direction}{suffix}", query)[y, x]
                assert np.array_equal(tracks.known[other, own], known)
                assert np.array_equal(tracks.visible[other, own], ~occluded)
                moved = tracks.position[other, own] - tracks.position[row, own]
                # the file of the flow holds float32
                assert np.allclose(moved[known], flow[known], rtol=1e-6, atol=1e-9)
                compared += len(own)
                hidden += (occluded & tracks.in_frame[other, own]).sum()
    assert compared > 1000
    assert hidden > 10


def test_a_static_scene_has_flow_of_exactly_zero(toy_dataset: Dataset) -> None:
    clip = toy_dataset.clip("still")
    for earlier, later in pairwise(clip.frame_numbers):
        for direction, source in (("forward", earlier), ("backward", later)):
            assert (clip.read(f"flow_{direction}", source) == 0.0).all()
            assert clip.read(f"valid_{direction}", source).all()
            assert not clip.read(f"occlusion_{direction}", source).any()
            assert not clip.read(f"exact_occlusion_{direction}", source).any()


def test_every_event_of_the_workshop_is_marked(toy_dataset: Dataset) -> None:
    """Topology changes, things that appear and vanish, a modifier switched off: seen, invalid, and filled."""
    clip, scene = toy_dataset.clip("workshop-1"), SCENES["workshop"]
    names = {name: int(number) for number, name in clip.read_names("object_id").items()}
    told = {pair["source"]: pair for pair in read_json(clip.root / "quality" / "workshop-1.json")["pairs"]}
    for event in scene.events:
        if event.object == EVERYTHING:
            # no clip has frames of both sides of a cut
            assert (clip.frame_numbers[-1], toy_dataset.clip("workshop-2").frame_numbers[0]) == (CUT - 1, CUT)
            continue
        earlier, later = event.frame - 1, event.frame
        unseen = 0
        for direction, source in (("forward", earlier), ("backward", later)):
            valid = clip.read(f"valid_{direction}", source)
            flow = clip.read(f"flow_{direction}", source)
            affected = clip.read("object_id", source) == names[event.object]
            if event.partly:
                # the copies that are new are not there before; the others are in both
                assert valid[affected].any(), event
                affected &= ~valid
            unseen += not affected.any()
            assert not valid[affected].any(), event
            assert not known_flow(clip.read_motion(direction, source)[affected]).any(), event
            assert known_flow(flow).all(), event
            noted = [one["object"] for one in told[earlier][direction]["unknown"]]
            assert (event.object in noted) == bool(affected.any()), event
            assert clip.read(f"occlusion_{direction}", source)[affected].all(), event
        assert unseen < 2, f"nobody would notice: {event}"


@pytest.mark.parametrize("toy", CLIPS)
def test_a_frame_has_no_more_colours_than_materials_background_and_lines(toy_dataset: Dataset, toy: str) -> None:
    clip = toy_dataset.clip(toy)
    for frame in clip.frame_numbers[::5]:
        materials = len(np.unique(clip.read("material_id", frame)))
        flat = clip.read("flat", frame)
        picture = clip.read("frame", frame)
        line_art = clip.read("contour", frame)
        assert 8 <= len(np.unique(flat.reshape(-1, 3), axis=0)) <= materials + 1
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= materials + 2
        assert set(np.unique(line_art)) == {0, 255}
        assert np.array_equal(picture[line_art == 255], flat[line_art == 255])
        assert (picture[line_art == 0] == 0).all()
        assert 0.01 < (line_art == 0).mean() < 0.5


@pytest.mark.parametrize("toy", CLIPS)
def test_pictures_show_what_the_id_maps_say(toy_dataset: Dataset, toy: str) -> None:
    """Whatever Workbench drew, the visibility buffer knew."""
    clip = toy_dataset.clip(toy)
    quality = read_json(clip.root / "quality" / f"{toy}.json")
    # in pictures as small as these, lines fill a good part of what they surround: not the bars that count line pixels
    failures = {failure["figure"] for failure in quality["failures"]} - {"leaks", "warp_error"}
    assert failures == set()
    figures = quality["frame_figures"]
    assert [entry["frame"] for entry in figures] == list(clip.frame_numbers)
    assert all(entry["agreement"] >= 0.999 and entry["agreement_compared"] == 1.0 for entry in figures)
    sampled = [entry["agreement_ids"] for entry in figures if entry["agreement_ids"] is not None]
    assert len(sampled) == min(8, len(figures))
    assert min(sampled) >= 0.999
    judged = [pair["forward"] for pair in quality["pairs"] if pair["forward"]["identity_error"] is not None]
    assert len(judged) == 1
    assert judged[0]["identity_compared"] > 0.4


@pytest.mark.parametrize("toy", CLIPS)
def test_all_files_are_there_and_no_others(toy_dataset: Dataset, toy: str) -> None:
    clip, scene = toy_dataset.clip(toy), scene_of(toy)
    last = CUT - 1 if toy == "workshop-1" else LAST_FRAMES.get(toy, scene.frames[-1])
    stretch = [frame for frame in scene.frames if frame <= last]
    assert list(clip.frame_numbers) == stretch
    enabled = (
        enabled_modalities(get_args(Extra), GAPS, 300) if toy in FAR_CLIPS else enabled_modalities(get_args(Extra))
    )
    for modality in enabled:
        folder = modality.cut_folder(clip.root, clip.split, toy)
        files = {file.name for file in folder.iterdir()} - {modality.table}
        if modality.kind == "clip":
            wanted = {modality.clip_path(clip.root, clip.split, toy).name}
        else:
            wanted = {modality.path(clip.root, clip.split, toy, frame).name for frame in modality.frames(stretch)}
        assert files == wanted, modality.name
    assert clip.read("frame", scene.first).shape == (*RESOLUTION[::-1], 3)


@pytest.mark.parametrize("toy", ["courier", "flyover"])
def test_labels_hang_together(toy_dataset: Dataset, toy: str) -> None:
    clip = toy_dataset.clip(toy)
    for earlier, later in list(pairwise(clip.frame_numbers))[::6]:
        segments = {frame: clip.read("segment", frame) for frame in (earlier, later)}
        for direction, source, target in (("forward", earlier, later), ("backward", later, earlier)):
            matches = clip.read(f"match_{direction}", source)
            assert len(matches) == segments[source].max() + 1
            named = {target for targets in matches for target in targets}
            assert named <= {-1, *range(segments[target].max() + 1)}
            assert np.mean([targets != [-1] for targets in matches]) > 0.5
            exact = clip.read(f"exact_occlusion_{direction}", source)
            by_rule = clip.read(f"occlusion_{direction}", source)
            assert (exact == by_rule).mean() > 0.85
