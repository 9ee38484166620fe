"""What readers of each layout make of an export.

The readers are rebuilt here from descriptions of the layouts, with nothing of the exporting code, so that a half pixel,
an inverted mask or a wrong range of numbers shows.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from animerun_gen.dataset import MODALITIES, ClipWriter
from animerun_gen.errors import UsageError
from animerun_gen.export.run import export
from tests.export.clips import (
    FAR,
    FAR_MOTION,
    FILLED,
    FRAMES,
    HEIGHT,
    LEFT,
    SIDE,
    STEP,
    TOP,
    WIDTH,
    square,
    tracks,
    write_clip,
)

NAMES = {what.name for what in MODALITIES}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_clip(tmp_path / "data")
    write_clip(tmp_path / "data", "test", "other")
    return tmp_path / "data"


def middlebury(path: Path) -> npt.NDArray[Any]:
    raw = np.fromfile(path, "<f4")
    assert raw[0] == np.float32(202021.25)
    width, height = (int(side) for side in raw[1:3].view("<i4"))
    return raw[3:].reshape(height, width, 2)


def raft_valid(flow: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """RAFT: what moves less than 1,000 px."""
    return (np.abs(flow) < 1000).all(axis=-1)


def sea_raft_valid(flow: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """SEA-RAFT: the same after NaN and Middlebury's mark have become zero motion."""
    flow = np.where(np.isnan(flow) | (np.abs(flow) > 1e9), 0.0, flow)
    return raft_valid(flow)


def ptlflow_valid(flow: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """ptlflow: neither NaN nor 10,000 px or more."""
    return (np.abs(np.where(np.isnan(flow), 10001.0, flow)) < 10000).all(axis=-1)


READERS = (raft_valid, sea_raft_valid, ptlflow_valid)


def first_motion() -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Flow and validity of the first pair, by heart."""
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[square(0)] = (STEP, 0.25)
    flow[FAR] = FAR_MOTION
    valid = np.ones((HEIGHT, WIDTH), bool)
    valid[FILLED] = False
    return flow, valid


def test_sintel(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "sintel", tmp_path / "out", link=True)
    root = tmp_path / "out" / "Sintel"
    assert done.counts["unknown_pixels"] == 2
    for split, cut in (("training", "square"), ("test", "other")):
        for which in ("clean", "final"):
            pictures = sorted((root / split / which / cut).glob("*.png"))
            assert [path.name for path in pictures] == ["frame_0001.png", "frame_0002.png", "frame_0003.png"]
            assert [int(np.asarray(Image.open(path))[0, 0, 0]) for path in pictures] == list(FRAMES)
        flows = sorted((root / split / "flow" / cut).glob("*.flo"))
        occlusions = sorted((root / split / "occlusions" / cut).glob("*.png"))
        invalid = sorted((root / split / "invalid" / cut).glob("*.png"))
        assert (len(flows), len(occlusions), len(invalid)) == (2, 2, 3)
        expected, known = first_motion()
        flow = middlebury(flows[0])
        for valid in READERS:
            assert np.array_equal(valid(flow), known), valid.__name__
        assert np.array_equal(flow[known], expected[known])
        # 255 is occluded, and 255 is invalid
        assert np.argwhere(np.asarray(Image.open(occlusions[0])) == 255).tolist() == [[0, x] for x in range(5)]
        assert np.array_equal(np.asarray(Image.open(invalid[0])) == 255, ~known)
        assert set(np.unique(np.asarray(Image.open(invalid[1])))) == {0}
        assert (np.asarray(Image.open(invalid[2])) == 255).all()


def test_spring(dataset: Path, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    export(dataset, "spring", tmp_path / "out")
    folder = tmp_path / "out" / "train" / "square"
    assert len(list((folder / "frame_left").glob("frame_left_*.png"))) == 3
    with h5py.File(folder / "flow_FW_left" / "flow_FW_left_0001.flo5") as file:
        flow = file["flow"][()]
    assert flow.shape == (2 * HEIGHT, 2 * WIDTH, 2)
    assert flow.dtype == np.float32
    expected, known = first_motion()
    # readers take every second value, or hold a prediction against all four of a pixel
    for rows, columns in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = flow[rows::2, columns::2]
        assert np.array_equal(part[known], expected[known])
        for valid in READERS:
            assert np.array_equal(valid(part), known), valid.__name__
    backward = sorted(path.name for path in (folder / "flow_BW_left").iterdir())
    assert backward == ["flow_BW_left_0002.flo5", "flow_BW_left_0003.flo5"]
    with h5py.File(folder / "flow_BW_left" / "flow_BW_left_0002.flo5") as file:
        assert file["flow"][2 * TOP, 2 * (LEFT + STEP)].tolist() == [-STEP, 0.25]


def test_kitti(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "kitti", tmp_path / "out")
    root = tmp_path / "out" / "KittiFlow" / "training"
    assert sorted(path.name for path in (root / "flow_occ").iterdir()) == ["000000_10.png", "000001_10.png"]
    pairs = sorted(path.name for path in (root / "image_2").iterdir())
    assert pairs == ["000000_10.png", "000000_11.png", "000001_10.png", "000001_11.png"]
    raw = cv2.imread(str(root / "flow_occ" / "000000_10.png"), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    assert raw is not None
    assert raw.dtype == np.uint16
    blue_last = raw[..., ::-1].astype(np.float64)
    flow, valid = (blue_last[..., :2] - 2**15) / 64.0, blue_last[..., 2]
    expected, known = first_motion()
    # 511.995 px would have to be 65536 of 65535
    known[FAR] = False
    assert done.counts["pixels_that_do_not_fit"] == 2
    assert set(np.unique(valid)) == {0, 1}
    assert np.array_equal(valid > 0, known)
    assert np.abs(flow - expected)[known].max() <= 1 / 128
    assert (raw[~known] == 0).all()
    seen = cv2.imread(str(root / "flow_noc" / "000000_10.png"), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    assert seen is not None
    assert np.argwhere((raw[..., 0] > 0) & (seen[..., 0] == 0)).tolist() == [[0, x] for x in range(5)]


def test_the_ends_of_kittis_range() -> None:
    from animerun_gen.export.layouts.kitti import encode_flow

    values = np.array([-512.0, -512.01, 511.984375, 511.99, 511.9945, 512.0, 0.0], np.float32)
    flow = np.stack([values, np.zeros_like(values)], axis=-1)[None]
    encoded, unfit = encode_flow(flow, np.ones(flow.shape[:2], bool))
    assert unfit[0].tolist() == [False, True, False, False, True, True, False]
    assert encoded[0, :, 0].tolist() == [0, 0, 65535, 65535, 0, 0, 32768]
    assert encoded[0, :, 2].tolist() == [1, 0, 1, 1, 0, 0, 1]


def test_tapvid(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "tapvid", tmp_path / "out")
    with (tmp_path / "out" / "tapvid_train.pkl").open("rb") as file:
        clips = pickle.load(file)
    assert type(clips) is dict
    assert list(clips) == ["square"]
    clip = clips["square"]
    assert clip["video"].shape == (3, HEIGHT, WIDTH, 3)
    assert clip["video"].dtype == np.uint8
    assert clip["video"][:, 0, 0, 0].tolist() == list(FRAMES)
    # the third point is lost, and the layout cannot say so
    assert done.counts["points_left_out"] == 2
    assert clip["points"].shape == (2, 3, 2)
    assert clip["points"].dtype == np.float32
    raster = clip["points"] * (WIDTH, HEIGHT)
    # the middle of the pixel in column LEFT + 1 is half a pixel from its left side
    assert np.allclose(raster[0, :, 0], [LEFT + 1.5, LEFT + 1.5 + STEP, LEFT + 1.5 + 2 * STEP], atol=1e-5)
    assert np.allclose(raster[0, :, 1], TOP + 1.5, atol=1e-5)
    assert clip["occluded"].dtype == bool
    assert clip["occluded"].tolist() == [[False, False, False], [False, True, False]]


def test_cotracker(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "cotracker", tmp_path / "out")
    sequence = tmp_path / "out" / "train" / "square"
    assert [path.name for path in sorted((sequence / "frames").iterdir())] == ["0000.png", "0001.png", "0002.png"]
    annotation = np.load(sequence / "square.npy", allow_pickle=True).item()
    # pixels, centres at whole numbers
    assert annotation["coords"].shape == (2, 3, 2)
    assert annotation["coords"][0].tolist() == [[LEFT + 1 + STEP * place, TOP + 1] for place in range(3)]
    # True is occluded
    assert annotation["visibility"].tolist() == [[False, False, False], [False, True, False]]
    assert any("24" in sentence and "3 frames" in sentence for sentence in done.sentences)


def test_pointodyssey(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "pointodyssey", tmp_path / "out")
    sequence = tmp_path / "out" / "train" / "square"
    assert [path.name for path in sorted((sequence / "rgbs").iterdir())] == [f"rgb_{n:05d}.jpg" for n in range(3)]
    assert [path.name for path in sorted((sequence / "masks").iterdir())] == [f"mask_{n:05d}.png" for n in range(3)]
    assert np.unique(np.asarray(Image.open(sequence / "masks" / "mask_00000.png"))).tolist() == [0, 1]
    annotation = np.load(sequence / "anno.npz")
    own = tracks()
    assert np.array_equal(annotation["trajs_2d"], own.position.astype(np.float32), equal_nan=True)
    assert np.array_equal(annotation["visibs"], own.visible)
    assert np.array_equal(annotation["valids"], own.known)
    assert np.isnan(annotation["trajs_2d"][~annotation["valids"]]).all()
    assert np.array_equal(annotation["trajs_3d"], own.world, equal_nan=True)
    assert "intrinsics" not in annotation
    assert any("no intrinsics and extrinsics" in sentence for sentence in done.sentences)


def test_pointodyssey_in_the_world(dataset: Path) -> None:
    """The points, seen by the cameras that are exported with them, are where the tracks are."""
    from animerun_gen.dataset.cameras import TO_OPENCV, FrameCamera
    from animerun_gen.export.layouts.pointodyssey import annotation

    cameras = []
    for place in range(3):
        intrinsics = np.array([[30.0, 0.0, 11.5], [0.0, 31.0, 7.5], [0.0, 0.0, 1.0]])
        world_to_camera = np.eye(4)
        world_to_camera[:3, :3] = cv2.Rodrigues(np.array([0.1, 0.2 * place, -0.3]))[0]
        world_to_camera[:3, 3] = (1.0, place, 2.0)
        matrix_world = np.linalg.inv(TO_OPENCV @ world_to_camera)
        projection = np.hstack([intrinsics, np.zeros((3, 1))])
        cameras.append(FrameCamera("Camera", WIDTH, HEIGHT, projection, world_to_camera, matrix_world, 0.1, 100.0))
    own = tracks()
    seen_there = zip(cameras, own.depth, own.position, strict=True)
    world = np.array([camera.unproject(depth, position) for camera, depth, position in seen_there])
    arrays = annotation(dataclasses.replace(own, world=world), cameras)
    for place in range(3):
        points = np.concatenate([arrays["trajs_3d"][place], np.ones((3, 1))], axis=1)
        seen = (arrays["extrinsics"][place] @ points.T)[:3]
        pixels = (arrays["intrinsics"][place] @ seen)[:2] / seen[2]
        valid = arrays["valids"][place]
        assert np.allclose(pixels.T[valid], arrays["trajs_2d"][place][valid], atol=1e-4)
        assert np.allclose(seen[2][valid], 5.0)
        assert np.isnan(arrays["trajs_3d"][place][~valid]).all()


def ids(picture: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    wide = picture.astype(np.int64)
    numbers: npt.NDArray[np.int64] = wide[..., 0] * 65536 + wide[..., 1] * 256 + wide[..., 2]
    return numbers


def test_paintbucket(dataset: Path, tmp_path: Path) -> None:
    export(dataset, "paintbucket", tmp_path / "out")
    character = tmp_path / "out" / "train" / "square"
    for kind, suffix in (*((kind, "png") for kind in ("gt", "label", "line", "seg")), ("json_color", "json")):
        assert [path.name for path in sorted((character / kind).iterdir())] == [f"000{n}.{suffix}" for n in range(3)]
    persistent = set()
    for place in range(3):
        read = {kind: np.asarray(Image.open(character / kind / f"000{place}.png")) for kind in ("gt", "label", "line")}
        seg = ids(np.asarray(Image.open(character / "seg" / f"000{place}.png")))
        index = json.loads((character / "json_index" / f"000{place}.json").read_text())
        colors = json.loads((character / "json_color" / f"000{place}.json").read_text())
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[square(place)] = True
        line = np.zeros_like(inside)
        line[square(place, 1)] = True
        line &= ~inside
        assert np.array_equal(seg == 0, line)
        assert np.array_equal(read["line"][..., 3] == 255, line)
        assert np.unique(read["line"][..., 3]).tolist() == [0, 255]
        assert (read["gt"][line] == (0, 0, 0, 255)).all()
        assert (read["gt"][inside] == (10, 20, 30, 255)).all()
        assert (read["gt"][~inside & ~line] == (255, 255, 255, 0)).all()
        number = int(seg[TOP, LEFT + STEP * place])
        assert np.array_equal(seg == number, inside)
        pixels, label = index[str(number)]
        assert pixels == SIDE * SIDE
        assert colors[str(number)] == [10, 20, 30, 255]
        assert (ids(read["label"])[inside] == label).all()
        assert (ids(read["label"])[line] == 0).all()
        # the background is transparent, which readers call -1
        assert np.array_equal(read["label"][..., 3] == 0, ~inside & ~line)
        assert index[str(int(seg[0, 0]))][1] == -1
        persistent.add(label)
    assert len(persistent) == 1
    table = json.loads((character / "regions.json").read_text())
    assert table[str(persistent.pop())] == {
        "object": "Square",
        "material": "ink",
        "first_frame": FRAMES[0],
        "last_frame": FRAMES[-1],
        "pixels": 3 * SIDE * SIDE,
    }


def test_paintbucket_outside_the_training_split(dataset: Path, tmp_path: Path) -> None:
    """DACoN validates with the colours that lie beside the segments, of frames and of key frames."""
    assert not any("regions: " in sentence for sentence in export(dataset, "paintbucket", tmp_path / "out").sentences)
    character = tmp_path / "out" / "test" / "other"
    for folder in (character, character / "ref"):
        for path in (folder / "json_color").iterdir():
            assert (folder / "seg" / path.name).read_bytes() == path.read_bytes()
    assert not list((tmp_path / "out" / "train").rglob("seg/*.json"))


def test_paintbucket_says_where_ids_take_more_than_a_byte(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "data")
    # cells of 2 x 2 pixels with lines between them: 400 regions
    paper = np.arange(60) % 3 != 0
    line = ~(paper[:, None] & paper)
    values = {
        "frame": np.zeros((60, 60, 3), np.uint8),
        "flat": np.zeros((60, 60, 3), np.uint8),
        "contour": np.where(line, 0, 255).astype(np.uint8),
        "object_id": np.full((60, 60), 3, np.uint16),
        "material_id": np.full((60, 60), 7, np.uint16),
        "flow": np.zeros((60, 60, 2), np.float32),
        "valid": np.ones((60, 60), bool),
        "exact_occlusion": np.zeros((60, 60), bool),
        "occlusion": np.zeros((60, 60), bool),
    }
    for frame in FRAMES:
        for name, value in values.items():
            for one in (name, f"{name}_forward", f"{name}_backward"):
                if one in NAMES and clip.has(one, frame):
                    clip.write(one, frame, value)
    said = export(tmp_path / "data", "paintbucket", tmp_path / "many").sentences
    assert any("Frames with more than 255 regions: 3; DACoN's reader" in sentence for sentence in said)


def test_linkto(dataset: Path, tmp_path: Path) -> None:
    export(dataset, "linkto", tmp_path / "out")
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    [view] = (tmp_path / "out" / "train" / "square").glob("*/*")
    [pictures], [flows] = list(view.glob("*Rendering*")), list(view.glob("*Optical_flow_exr*"))
    assert (len(list(pictures.iterdir())), len(list(flows.iterdir()))) == (3, 2)
    raw = cv2.imread(str(sorted(flows.iterdir())[0]), cv2.IMREAD_UNCHANGED)
    assert raw is not None
    assert raw.dtype == np.float32
    flow, known = raw[..., :0:-1], raw[..., 0]
    expected, valid = first_motion()
    assert np.array_equal(flow[valid], expected[valid])
    assert np.array_equal(known == 1, valid)
    for reader in READERS:
        assert np.array_equal(reader(flow), valid), reader.__name__


def read_animeinbet(path: Path) -> tuple[npt.NDArray[Any], list[list[int]], npt.NDArray[Any]]:
    """AnimeInbet: places are cut down to whole pixels of a square, x before y."""
    data = json.loads(path.read_text())
    return np.array(data["vertex location"]).astype(int), data["connection"], np.array(data["original index"])


def test_animeinbet(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "animeinbet", tmp_path / "out")
    assert done.sentences == []
    root = tmp_path / "out" / "train"
    pictures, labels = sorted((root / "frames" / "square").iterdir()), sorted((root / "labels" / "square").iterdir())
    assert [path.name for path in pictures] == ["Image0001.png", "Image0002.png", "Image0003.png"]
    assert [path.name for path in labels] == ["Line0001.json", "Line0002.json", "Line0003.json"]
    scale = 720 / WIDTH
    top = (720 - scale * HEIGHT) / 2
    read = [read_animeinbet(path) for path in labels]
    for place, (location, connection, index) in enumerate(read):
        left, right = ((LEFT + STEP * place + side) * scale for side in (0, SIDE))
        upper, lower = ((TOP + side) * scale + top for side in (0, SIDE))
        # the corner of a pixel lies half a pixel before its centre
        expected = [[left, upper], [right, upper], [right, lower], [left, lower]]
        if place == 0:
            expected.append([(left + right) / 2, lower])
        assert np.abs(location - (np.array(expected) - 0.5)).max() <= 0.5
        assert len(set(index.tolist())) == len(index)
        # the hidden half of the lower side and the diagonal are none of the graph
        sides = [[1, 3], [0, 2], [1], [0, 4], [3]] if place == 0 else [[1, 3], [0, 2], [1, 3], [0, 2]]
        assert connection == sides
        picture = np.asarray(Image.open(pictures[place]))
        assert picture.shape == (720, 720, 3)
        # on a line at each vertex, and white in the middle of the square
        assert (picture[location[:, 1], location[:, 0]] < 200).all()
        assert (picture[round((upper + lower) / 2), round((left + right) / 2)] == 255).all()
    # ids_to_mat: the corners are the same ones in all frames
    assert [index[:4].tolist() for _, _, index in read] == [[0, 1, 2, 3]] * 3
    assert read[0][2][4] not in read[1][2]


def test_animeinbet_keeps_one_vertex_a_pixel_and_says_so(dataset: Path, tmp_path: Path) -> None:
    from animerun_gen.export.layouts.animeinbet import line_graph
    from tests.export.clips import strokes

    ring = strokes(1)
    near = dataclasses.replace(ring, position=ring.position[[0, 1, 1, 3]] + [[0, 0], [0, 0], [0.001, 0], [0, 0]])
    graph = line_graph(near, np.array([7, 5, 3, 9]), WIDTH, HEIGHT)
    assert (graph.number.tolist(), graph.merged) == ([3, 7, 9], 1)
    assert graph.joined.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_borders_of_the_shade_are_no_ink() -> None:
    from animerun_gen.export.layouts.animeinbet import line_graph
    from animerun_gen.export.layouts.svg import svg_bytes
    from tests.export.clips import strokes

    whole = strokes(0)
    kinds = whole.kind.copy()
    kinds[np.flatnonzero(~whole.hidden)[0]] = 7
    shaded = dataclasses.replace(whole, kind=kinds)
    numbers = np.arange(len(whole.position))
    assert len(line_graph(whole, numbers, WIDTH, HEIGHT).joined) > len(
        line_graph(shaded, numbers, WIDTH, HEIGHT).joined
    )
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(svg_bytes(shaded, numbers, WIDTH, HEIGHT))
    groups = {group.get("id"): group for group in root.iter(f"{space}g")}
    assert len(list(groups["shade"].iter(f"{space}path"))) == 1
    assert groups["shade"].get("stroke") == "#bcc9fb"


def test_points_without_identity_have_numbers_of_their_own(dataset: Path) -> None:
    from animerun_gen.export.strokes import numbered_strokes
    from tests.export.clips import strokes

    clip = ClipWriter(dataset, "train", "square")
    for place, frame in enumerate(FRAMES):
        of_frame = strokes(place)
        identity = of_frame.identity.copy()
        # two without any, and two that are said to be one
        identity[:2], identity[3] = 0, identity[2]
        clip.write("strokes", frame, dataclasses.replace(of_frame, identity=identity))
    numbers = [numbers.tolist() for _, _, numbers in numbered_strokes(clip)]
    assert [len(set(of_frame)) for of_frame in numbers] == [5, 4, 4]
    shared = [set(one) & set(other) for one, other in pairwise(numbers)]
    assert shared == [{numbers[0][2]}] * 2


def test_svg(dataset: Path, tmp_path: Path) -> None:
    done = export(dataset, "svg", tmp_path / "out", cuts=["square"])
    assert (done.counts["strokes"], done.counts["hidden_strokes"]) == (3, 4)
    files = sorted((tmp_path / "out" / "train" / "square").iterdir())
    assert [path.name for path in files] == [f"{frame:04d}.svg" for frame in FRAMES]
    space = "{http://www.w3.org/2000/svg}"
    for place, path in enumerate(files):
        root = ElementTree.parse(path).getroot()
        # pixels have their centres at whole numbers
        assert root.get("viewBox") == f"-0.5 -0.5 {WIDTH} {HEIGHT}"
        groups = {group.get("id"): group for group in root.iter(f"{space}g")}
        assert groups["hidden"].get("display") == "none"
        [side] = groups["border"].iter(f"{space}path")
        left, right = LEFT + STEP * place - 0.5, LEFT + STEP * place + SIDE - 0.5
        top, bottom = TOP - 0.5, TOP + SIDE - 0.5
        if place:
            assert side.get("d") == f"M{left} {top}L{right} {top}L{right} {bottom}L{left} {bottom}Z"
        else:
            middle = round((left + right) / 2, 3)
            drawn = f"M{middle:g} {bottom}L{left} {bottom}L{left} {top}L{right} {top}L{right} {bottom}"
            assert side.get("d") == drawn
        assert side.get("data-object") == "Square"
        assert side.get("data-points") == ("0 1 2 3 0" if place else "4 3 0 1 2")
        [diagonal] = groups["hidden-crease"].iter(f"{space}path")
        assert diagonal.get("data-points") == "0 2"


def test_names_of_objects_that_xml_has_no_way_to_write() -> None:
    from animerun_gen.export.layouts.svg import svg_bytes
    from tests.export.clips import strokes

    made = svg_bytes(strokes(1), np.arange(4), WIDTH, HEIGHT, {3: 'a<b & "c"\x01\ud800'})
    [first, *_] = ElementTree.fromstring(made).iter("{http://www.w3.org/2000/svg}path")
    assert first.get("data-object") == 'a<b & "c"\ufffd\ufffd'


@pytest.mark.parametrize("layout", ["animeinbet", "svg"])
def test_lines_need_strokes(layout: str, dataset: Path, tmp_path: Path) -> None:
    (dataset / "train" / "Vector" / "square" / "0010.npz").unlink()
    with pytest.raises(UsageError, match=r"has no train/Vector/square/0010\.npz.*lines\.vector"):
        export(dataset, layout, tmp_path / "out")
