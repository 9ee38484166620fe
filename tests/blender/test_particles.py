"""Particles are followed one by one, whatever is born and dies beside them."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipFiles
from tests.blender.conftest import run_elsewhere, run_kept
from tests.blender.test_hair import FOCAL, HEIGHT, PLAIN, WIDTH, project

pytestmark = pytest.mark.blender

SCRIPT = """
scene.frame_start, scene.frame_end = 1, 30
stone = add("cube", "stone", (0.4, 0.4, 0.4), size=1, location=(0, 60, 0))
fountain = add("plane", "fountain", (1, 1, 1), size=3, location=(0, 0, 1), rotation=(1.2, 0.3, 0))
fountain.show_instancer_for_render = False
fountain.data.materials.append(paint("spark", (1, 0.8, 0.1)))
for name, shown in (("sparks", "HALO"), ("stones", "OBJECT")):
    system = fountain.modifiers.new(name, "PARTICLE_SYSTEM").particle_system
    flight = system.settings
    flight.count, flight.frame_start, flight.frame_end = 60, -5, 14
    flight.lifetime, flight.lifetime_random, flight.material = 9, 0.6, 2
    flight.particle_size, flight.render_type, flight.instance_object = 0.08, shown, stone
    flight.normal_factor, flight.factor_random = 2.0, 1.0
    flight.display_percentage = 10
    fountain.modifiers[name].show_viewport = shown == "OBJECT"
fountain.modifiers["sparks"].particle_system.seed = 7
fountain.modifiers["sparks"].particle_system.settings.child_type = "NONE"
tail = add("plane", "tail", (0.9, 0.5, 0.1), size=0.8, location=(-2.2, 0, -0.5), rotation=(1.4, 0, 0))
swing = tail.modifiers.new("swing", "PARTICLE_SYSTEM").particle_system
swing.settings.type, swing.settings.count, swing.settings.hair_length = "HAIR", 40, 0.8
swing.use_hair_dynamics = True
for frame in (1, 12):
    tail.location.x = -2.2 + 0.1 * frame
    tail.keyframe_insert("location", frame=frame)

import json
diary = {}
for modifier in fountain.modifiers:
    modifier.show_viewport = True
    modifier.particle_system.settings.display_percentage = 100
for frame in range(1, 12):
    scene.frame_set(frame)
    drawn = fountain.evaluated_get(scene.view_layers[0].depsgraph)
    diary[frame] = {
        system.name: [[p.alive_state == "ALIVE", *p.location] for p in system.particles]
        for system in drawn.particle_systems
    }
open(PATH, "w").write(json.dumps(diary))
scene.frame_set(1)
fountain.modifiers["sparks"].show_viewport = False
for modifier in fountain.modifiers:
    modifier.particle_system.settings.display_percentage = 10
"""


def test_each_particle_is_followed_as_long_as_it_lives(
    build: Callable[[str, str], Path], cut: Callable[..., Path], tmp_path: Path
) -> None:
    """The diary of Blender's own particles tells where each must go; clips begun in the middle are the same."""
    source = build("fountain", SCRIPT.replace("PATH", repr(str(tmp_path / "diary.json"))))
    config = cut(source, PLAIN + "particles: {size: 0.16, systems: {none/*: {mode: remove}}}\n")
    text = config.read_text().replace("[96, 64]", f"[{WIDTH}, {HEIGHT}]")
    config.write_text(text.replace("first: 1, last: 2", "first: 6, last: 9"), encoding="utf-8")
    said = run_kept("render", config, "--out", tmp_path / "whole").stdout
    assert "turned the halos of particles 'fountain/sparks' into balls" in said
    assert "particles 'fountain/stones' show object 'stone', as in the film" in said
    assert "particles.systems: no particles are named 'none/*'" in said
    for frames in ("8:9", "6:8"):
        run_elsewhere("render", config, "--out", tmp_path / "parts", "--frames", frames)
    names = [file.relative_to(tmp_path / "whole") for file in (tmp_path / "whole" / "train").rglob("*.*")]
    assert len(names) > 20
    for name in names:
        assert filecmp.cmp(tmp_path / "whole" / name, tmp_path / "parts" / name, shallow=False), name

    clip = ClipFiles(tmp_path / "whole", "train", "fountain")
    diary = json.loads((tmp_path / "diary.json").read_text(encoding="utf-8"))
    followed, ended, begun = {"sparks": 0, "stones": 0}, 0, 0
    for now, then, direction in [(f, f + 1, "forward") for f in (6, 7, 8)] + [
        (f + 1, f, "backward") for f in (6, 7, 8)
    ]:
        flow, valid = clip.read(f"flow_{direction}", now), clip.read(f"valid_{direction}", now)
        depth = clip.read("depth", now)
        living = [project(np.array(place)) for some in diary[str(now)].values() for alive, *place in some if alive]
        for system in followed:
            for (alive, *place), (alive_then, *place_then) in zip(
                diary[str(now)][system], diary[str(then)][system], strict=True
            ):
                x, y = project(np.array(place))
                column, row = round(float(x)), round(float(y))
                if not alive or not (0 <= column < WIDTH and 0 <= row < HEIGHT):
                    continue
                # its own surface is seen there, nobody else's
                if sum(np.linalg.norm(other - [x, y]) < 6 for other in living) > 1:
                    continue
                if not 0 <= place[1] + 8.0 - depth[row, column] < 0.08 + 0.06:
                    continue
                if not alive_then:
                    assert not valid[row, column]
                    ended, begun = ended + (direction == "forward"), begun + (direction == "backward")
                    continue
                assert valid[row, column]
                expected = project(np.array(place_then)) - [x, y]
                # half a pixel off its middle, a particle that comes nearer grows by this
                growth = abs(place[1] - place_then[1]) / 8.0 + 0.02
                assert np.abs(flow[row, column] - expected).max() < 0.05 + growth * FOCAL * 0.16 / 8.0
                followed[system] += np.abs(expected).max() > 1
    assert min(followed.values()) > 10
    assert ended > 3
    assert begun > 3
    hair = {name: int(number) for number, name in clip.read_names("object_id").items()}["hair of tail/swing"]
    swinging = clip.read("object_id", 6) == hair
    assert swinging.sum() > 50
    assert clip.read("valid_forward", 6)[swinging].all()
    assert np.ptp(clip.read("flow_forward", 6)[swinging], axis=0).max() > 0.05
