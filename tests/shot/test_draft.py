from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from animerun_gen.config import CutConfig, load_cuts
from animerun_gen.engines.film_files import MissingFile
from animerun_gen.lines.cost import SLOW_SECONDS
from animerun_gen.shot.draft import KEYED_TOPICS, cut_name, draft
from animerun_gen.shot.findings import MISSING_KINDS, describe, findings
from animerun_gen.shot.shot import (
    Contents,
    FarFromOrigin,
    FilmLight,
    GreasePencil,
    HairSystem,
    ParticleSystem,
    Removal,
    SeeThrough,
    Shot,
    ViewKey,
)
from tests.shot.shots import SURVEY, shot

HOSTILE = (
    'a "quoted" name: yes',
    "leaf[1]*?",
    "# no comment",
    "{curly}, [square]",
    "two\nlines\ttab",
    "*anchor &alias !!tag",
    "Übergröße 木 🌳",
    "null",
    "\u2028\x07\x1b[31m",
)


def read(tmp_path: Path, facts: Shot) -> tuple[CutConfig, str]:
    (tmp_path / "film").mkdir(exist_ok=True)
    (tmp_path / "film" / "shot.blend").touch()
    target = tmp_path / "configs" / "cut.yaml"
    target.parent.mkdir(exist_ok=True)
    text = draft(replace(facts, source=str(tmp_path / "film" / "shot.blend")), target, "cut")
    target.write_text(text, encoding="utf-8")
    (loaded,) = load_cuts([target])
    return loaded.config, text


def test_a_plain_shot(tmp_path: Path) -> None:
    config, text = read(tmp_path, shot())
    assert config.source == tmp_path / "film" / "shot.blend"
    assert "../film/shot.blend" in text
    assert config.camera == "Camera"
    assert (config.frames.first, config.frames.last, config.frames.step) == (1, 72, 1)
    assert config.resolution == (960, 402)
    assert config.frame_rate == 24.0
    assert config.style.background == "#102030"
    assert config.remove.rules == ()
    assert config.lines.engine == "freestyle"


@pytest.mark.parametrize("name", ["Key: light", "null", *HOSTILE])
def test_the_key_light_is_named_and_shade_is_off(tmp_path: Path, name: str) -> None:
    config, text = read(tmp_path, shot(key_light=FilmLight(name, "area", ("rim", "fill"))))
    assert config.style.shade.light == name
    assert not config.style.shade.is_on
    assert "area light" in text
    assert "'rim', 'fill'" in text
    config, text = read(tmp_path, shot())
    assert config.style.shade.light == "auto"
    assert "no sun, area or spot light" in text


def test_pixels_that_are_not_square_are_said_where_the_resolution_stands(tmp_path: Path) -> None:
    config, text = read(tmp_path, shot(pixel_aspect=(1.4587, 1.0)))
    assert config.resolution == (960, 402)
    assert "# the film's own pictures have 2048 x 858 square pixels; its own are 1.4587 wide to 1 high" in text
    assert "wide to" not in read(tmp_path, shot(pixel_aspect=(2.0, 2.0)))[1]


def test_every_removal_stands_explicitly_with_its_reason(tmp_path: Path) -> None:
    removals = (
        Removal("volumes", "fog", "its materials are volumes"),
        Removal("unseen", "panel", "no camera sees it"),
        Removal("glowing", "lamp", "it shines", ("bulb",), True),
    )
    config, text = read(tmp_path, shot(removals=removals))
    assert config.remove.objects == ("fog", "panel")
    assert config.remove.materials == ("bulb",)
    assert config.remove.rules == ()
    for reason in ("# its materials are volumes", "# no camera sees it", "# on 'lamp': it shines"):
        assert reason in text


def test_what_names_cannot_say_is_left_to_its_rule(tmp_path: Path) -> None:
    config, _ = read(tmp_path, shot(removals=(Removal("glowing", "lamp", "it shines", ("brass",), False),)))
    assert config.remove.rules == ("glowing",)
    assert config.remove.materials == ()


SIGNS = tuple(f"sign.{number:03}" for number in range(26))


def test_what_goes_for_one_reason_is_one_entry_where_a_pattern_matches_just_that(tmp_path: Path) -> None:
    removals = tuple(Removal("glowing", name, "it shines") for name in SIGNS)
    facts = shot(removals=removals, object_names=(*SIGNS, "signal", "Camera"))
    config, text = read(tmp_path, facts)
    assert config.remove.objects == ("sign.0*",)
    assert text.count("# it shines") == 1
    # another object is named so, and stays
    config, text = read(tmp_path, replace(facts, object_names=(*SIGNS, "sign.031")))
    assert config.remove.objects == SIGNS
    assert text.count("# it shines") == 1


def test_what_goes_for_one_reason_is_said_in_one_line() -> None:
    removals = tuple(Removal("glowing", name, "it shines") for name in SIGNS)
    lines = describe(shot(removals=(*removals, Removal("glowing", "orb", "it shines more"))))
    assert "  26 objects 'sign*': it shines" in lines
    assert "  'orb': it shines more" in lines


def test_panes_and_glasses_are_removed_with_their_reason(tmp_path: Path) -> None:
    facts = shot(
        see_through=(
            SeeThrough("dimmer", "alpha 0.20", False, 0.0, "pane", 1.0, ("Dimmer",), ("Floor", "Hero")),
            SeeThrough("lens", "glass", False, 0.0, "glasses", 0.01, ("Specs",), ("Head",)),
            SeeThrough("water", "glass", False, 0.0, "", 0.6, ("Sea",), ("Seabed",)),
            SeeThrough("bottle", "glass", False, 0.0, "", 0.01, ("Bottle",), ("Table",)),
        )
    )
    config, text = read(tmp_path, facts)
    assert dict(config.transparency.materials) == {"dimmer": "remove", "lens": "remove"}
    said = " ".join(text.replace("#", " ").split())
    for words in (
        "material 'dimmer' on 'Dimmer' is see-through (alpha 0.20), covers 100% of the picture and lies before every",
        "material 'lens' on 'Specs' is see-through (glass) and lies close before 'Head'",
        "'water' becomes solid, and covers up to 60% of the picture: glass behind it lies 'Seabed'; remove would show",
        "'bottle' becomes solid: glass",
    ):
        assert words in said


def test_a_shot_far_from_the_origin_is_moved_where_it_can_be(tmp_path: Path) -> None:
    config, text = read(tmp_path, shot(far_from_origin=FarFromOrigin(0.0078, 0.85)))
    assert config.recenter
    assert "numbers lie 0.0078 units apart, which is 0.85 px in the picture" in " ".join(text.replace("#", "").split())
    config, text = read(tmp_path, shot(far_from_origin=FarFromOrigin(0.0078, 0.85, "'cube' would not follow")))
    assert not config.recenter
    assert "'cube' would not follow" in text
    assert "recenter" not in read(tmp_path, shot())[1]


def contents(*shares: tuple[float, float], surface: tuple[str, str] = ("Wall", "plaster")) -> tuple[Contents, ...]:
    return tuple(Contents(number, *both, *surface) for number, both in enumerate(shares))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (contents((0.00003, 0.00002), (0.00003, 0.00003), (0.5, 0.2)), "surfaces cover 0.003% of the picture in 2 of"),
        (
            contents((1.0, 0.999), (1.0, 0.999), (0.5, 0.2)),
            "covers everything: 99.9% of the picture is 'Wall', in mat",
        ),
        (contents((1.0, 0.999), (0.5, 0.2), (0.00003, 0.00003), (0.5, 0.2)), None),
        (contents((1.0, 1.0)) + contents((1.0, 1.0), surface=("Floor", "wood")), None),
        ((), None),
    ],
)
def test_a_shot_that_shows_nothing_is_said_with_the_figures(
    tmp_path: Path, seen: tuple[Contents, ...], said: str | None
) -> None:
    lines = describe(shot(contents=seen))
    assert any(said in line for line in lines) if said else "picture:" not in lines
    text = " ".join(read(tmp_path, shot(contents=seen))[1].replace("#", " ").split())
    assert ("the quality gate will not pass" in text) == (said is not None)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_that_a_file_may_hold_is_written_so_that_it_means_itself(tmp_path: Path, name: str) -> None:
    facts = shot(
        scene=name,
        scenes=("Scene", name),
        view_layer=name,
        view_layers=(name, "other"),
        camera=name,
        cameras=(name, "other"),
        removals=(Removal("unseen", name, f"because of {name}"),),
        hair=(HairSystem(f"{name}/fur", 100, "strands"),),
        particles=(ParticleSystem(name, 5, name),),
        see_through=(SeeThrough(name, name, True, 0.3), SeeThrough(name, name, False)),
        missing=(MissingFile("image", name, (name,)),),
        drivers=(name,),
        unreadable=((name, name),),
        complaints=name,
        survey=replace(SURVEY, changed_topology=(name,), came_or_went=(name,)),
    )
    config, text = read(tmp_path, facts)
    assert (config.scene, config.view_layer, config.camera) == (name, name, name)
    for patterns, expected in (
        (config.remove.objects, name),
        (tuple(config.hair.systems), f"{name}/fur"),
        (tuple(config.particles.systems), name),
        (tuple(config.transparency.materials), name),
    ):
        assert len(patterns) == 1
        assert fnmatchcase(expected, patterns[0])
        assert not fnmatchcase("leaf1aa", patterns[0])
    assert all(line.isprintable() for line in text.split("\n"))


def test_grease_pencil_is_named_and_stays(tmp_path: Path) -> None:
    config, text = read(
        tmp_path,
        shot(
            grease_pencil=(
                GreasePencil("hero", 120, 3),
                GreasePencil("smoke", 8, 1, "its modifier 'Dash' makes strokes anew"),
                GreasePencil("art", 0, 1, line_art=True),
            )
        ),
    )
    assert config.grease_pencil == "draw"
    said = " ".join(text.replace("\n#", "").split())
    assert "'hero': 120 strokes on 3 layers" in said
    assert "drawn as surfaces; points are followed as long as the same drawing is shown" in said
    assert "their motion is unknown: its modifier 'Dash' makes strokes anew" in said
    assert "'art' has lines that Line Art draws of the scene" in said


def test_hair_particles_and_textures(tmp_path: Path) -> None:
    facts = shot(
        hair=(HairSystem("head/fur", 900, "strands"), HairSystem("meadow/grass", 50, "object 'blade'")),
        particles=(ParticleSystem("source/dust", 120, "halos"),),
        see_through=(
            SeeThrough("leaf", "its alpha is an image", True, 0.4),
            SeeThrough("pane", "its alpha is 0.3", False),
        ),
        zooming=("Camera",),
        survey=replace(SURVEY, textured=0.5, freestyle_seconds=SLOW_SECONDS + 1),
    )
    config, text = read(tmp_path, facts)
    assert config.hair.systems["head/fur"].mode == "clump"
    assert config.hair.systems["meadow/grass"].mode == "keep"
    assert config.particles.systems["source/dust"].mode == "instances"
    assert dict(config.transparency.materials) == {"leaf": "clip"}
    assert config.style.color == "texture"
    assert config.camera_motion.focal_length == "dolly"
    assert config.lines.engine == "geometry"
    assert "'pane' becomes solid: its alpha is 0.3" in text


def test_freestyle_is_left_out_where_nobody_could_wait_for_it(tmp_path: Path) -> None:
    for survey, wanted in (
        (replace(SURVEY, triangles=10_000_000, freestyle_seconds=None), False),
        (replace(SURVEY, triangles=40_000, pieces=8_000_000, freestyle_seconds=None), False),
        (replace(SURVEY, triangles=10_000_000, freestyle_seconds=2.0), True),
        (replace(SURVEY, triangles=40_000, freestyle_seconds=90.0), False),
    ):
        assert read(tmp_path, shot(survey=survey))[0].lines.engine == ("freestyle" if wanted else "geometry")


def test_a_shot_without_a_camera_gets_one(tmp_path: Path) -> None:
    keys = (ViewKey(1, (0.0, -7.5, 1e-7), (0.0, 0.0, 1.0), 50.0), ViewKey(72, (1.0, -7.5, 2.0), (0.0, 0.0, 1.0), 35.0))
    config, text = read(tmp_path, shot(camera=None, camera_problem="has no camera", cameras=(), view_keys=keys))
    assert config.camera is None
    assert [(key.frame, key.location, key.target, key.lens) for key in config.camera_motion.keyframes] == [
        (key.frame, key.location, key.target, key.lens) for key in keys
    ]
    assert "# the scene has no camera" in text
    assert "--camera" not in text


def test_a_scene_whose_cameras_are_not_active_names_them_and_how_to_choose(tmp_path: Path) -> None:
    key = (ViewKey(1, (0.0, -7.5, 1.0), (0.0, 0.0, 1.0), 50.0),)
    problem = {"camera_problem": "has no camera", "cameras": ("A", "B")}
    chosen = shot(camera="B", view_share=0.4, **problem)
    proposed = shot(camera=None, view_keys=key, view_share=0.4, **problem)
    config, text = read(tmp_path, chosen)
    assert config.camera == "B"
    assert not config.camera_motion.keyframes
    assert read(tmp_path, proposed)[0].camera_motion.keyframes
    for facts in (chosen, proposed):
        said = "\n".join(describe(facts))
        assert "its cameras are 'A', 'B'" in said
        assert "--camera" in said
    assert "the first that sees anything" in text


@pytest.mark.parametrize("share", [0.0, 0.0004])
def test_a_view_that_shows_next_to_nothing_is_never_taken_silently(tmp_path: Path, share: float) -> None:
    key = (ViewKey(1, (0.0, -7.5, 1.0), (0.0, 0.0, 1.0), 50.0),)
    facts = shot(camera=None, camera_problem="has no camera", cameras=(), view_keys=key, view_share=share)
    words = f"the best view that was found shows surfaces in {'none' if share == 0 else '0.04%'} of the picture"
    assert words in " ".join(describe(facts))
    assert words in " ".join(read(tmp_path, facts)[1].replace("#", " ").split())
    assert words not in " ".join(describe(replace(facts, view_share=0.02)))


@pytest.mark.parametrize(
    ("facts", "words", "offset"),
    [
        ({"frame_range": (1, 250), "animated_range": (-20, 30), "clip": (1, 30)}, "begins at frame -20, before", 0),
        ({"animated_range": (-50, -5), "clip": (-50, -5)}, "they lie outside the scene's range", 1000),
        ({"clip": (-50, -5)}, "its files are numbered 0950 to 0995", 1000),
        ({"clip": (9990, 10040)}, "need equally many digits", 1000),
        ({"clip": (10_000, 10_040)}, "", 0),
        ({"time_stretch": 2.0}, "2 of its frames show one frame of its animation", 0),
        ({"animated_range": None, "clip": (1, 12)}, "nothing visible is animated", 0),
    ],
)
def test_how_the_frames_came_about_stands_in_the_draft_and_on_the_terminal(
    tmp_path: Path, facts: dict[str, Any], words: str, offset: int
) -> None:
    found = shot(**facts)
    config, text = read(tmp_path, found)
    assert (config.frames.first, config.frames.last, config.frames.offset) == (*found.clip, offset)
    assert words in " ".join(text.replace("# ", "").split())
    assert words in " ".join(describe(found))


def test_scripts_that_ran_for_the_draft_run_for_the_clip_as_well(tmp_path: Path) -> None:
    assert not read(tmp_path, shot())[0].trust_scripts
    assert read(tmp_path, shot(trusts_scripts=True))[0].trust_scripts


def test_camera_cuts_are_split_and_held_frames_skipped(tmp_path: Path) -> None:
    facts = shot(camera_cuts=((1, "Camera"), (30, "Close")), survey=replace(SURVEY, held=(1, 3, 5, 7)))
    config, _ = read(tmp_path, facts)
    assert config.camera_cuts == "split"
    assert config.camera is None
    assert (config.frames.first, config.frames.step) == (1, 2)


def test_cuts_that_are_keyed_on_a_camera_are_split_from_that_camera(tmp_path: Path) -> None:
    config, text = read(tmp_path, shot(camera_jumps=((12, "Camera"), (40, "Camera"))))
    assert (config.camera, config.camera_cuts) == ("Camera", "split")
    assert "# hard cuts are keyed on a camera, before frames 12: 'Camera', 40: 'Camera'" in text
    assert "keyed" not in read(tmp_path, shot())[1]


@pytest.mark.parametrize("kind", MISSING_KINDS)
def test_missing_files_of_every_kind_are_named_once_with_what_becomes_of_the_picture(tmp_path: Path, kind: str) -> None:
    files = (MissingFile(kind, "//one.x", ("a", "b")), MissingFile(kind, "//two_1.x", (), "2 of its 5 files"))
    facts = shot(missing=files)
    told = [finding for finding in findings(facts) if finding.topic == "missing file"]
    assert [finding.found for finding in told] == [str(missing) for missing in files]
    assert all("{" not in finding.action for finding in told)
    _, text = read(tmp_path, facts)
    words = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    assert f"missing {MISSING_KINDS[kind].several}, " in words
    assert "what them" not in words
    assert "//one.x (on 'a', 'b'), //two_1.x, 2 of its 5 files" in words


def test_every_finding_says_what_will_be_done(tmp_path: Path) -> None:
    facts = shot(
        complaints="it is old",
        missing=(MissingFile("library", "//a.blend", ("tree",)),),
        drivers=("x: y",),
        simulated=True,
        camera_problem="has no camera",
        zooming=("Camera",),
        camera_jumps=((3, "Camera"),),
        film_look=("motion blur",),
        pixel_aspect=(2.0, 1.0),
        bare_displays=("cage",),
        unreadable=(("smoke", "a volume has no surface"),),
        animated_range=None,
        survey=replace(SURVEY, changed_topology=("box",), came_or_went=("guest",), posed=(1,), textured=0.05),
    )
    found = findings(facts)
    assert {finding.topic for finding in found} >= {
        "file",
        "missing file",
        "drivers",
        "simulation",
        "camera",
        "focal length",
        "frames",
        "held poses",
        "no surface",
        "display",
        "colours",
        "film look",
        "pixels",
        "topology",
        "comes and goes",
        "cost",
    }
    assert all(finding.found and finding.action for finding in found)
    # what no key of the draft decides is named at its head
    head = read(tmp_path, facts)[1].partition("\nname:")[0]
    words = " ".join(line.removeprefix("#").strip() for line in head.splitlines())
    for finding in found:
        assert finding.topic in KEYED_TOPICS or f"{finding.topic}: {finding.found}: {finding.action}" in words
    keys = {finding.key for finding in found if finding.key}
    fields: dict[str, Any] = CutConfig.model_fields
    assert {key.split(".")[0] for key in keys} <= set(fields)
    said = "\n".join(describe(facts))
    assert "missing: library //a.blend (what comes from it is left out: tree)" in said


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("fight 010.blend", "fight_010"),
        ("木.blend", "Mu"),
        ("\u200b.blend", "shot"),
        ("marche d'Hélène.blend", "marche_d_Helene"),
        ("Привет, мир.blend", "Privet_mir"),
        ("戦い 01.blend", "Zhani_01"),
        ("Übergröße.blend", "Ubergrosse"),
        ("con.blend", "shot_con"),
        ("-x-.blend", "x"),
        ("a.b.blend", "a.b"),
    ],
)
def test_the_name_of_a_cut_comes_from_its_file(file: str, name: str) -> None:
    assert cut_name(Path(file)) == name


def test_facts_survive_their_way_between_processes() -> None:
    facts = shot(
        removals=(Removal("unseen", "x", "y"),), view_keys=(ViewKey(1, (0.0, 1.0, 2.0), (0.0, 0.0, 0.0), 50.0),)
    )
    import json

    assert Shot.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    with pytest.raises(ValueError, match="source"):
        Shot.from_json({"source": 5})


def test_a_draft_asks_whose_the_film_is_and_has_colour_passes(tmp_path: Path) -> None:
    config, text = read(tmp_path, shot())
    assert config.recolor.passes == 2
    assert (config.license, config.author, config.source_url) == (None, None, None)
    for key in ("license", "author", "source_url"):
        assert f"\n{key}: null\n" in text
