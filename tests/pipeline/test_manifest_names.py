"""What is published names files without the folders they lie in, and loses none of them."""

from __future__ import annotations

from animerun_gen.pipeline.state.manifest_file import inputs_without_folders, notes_without_folders, without_folders


def test_a_palette_is_named_without_its_folder_and_the_rest_stays() -> None:
    config = {"source": "/home/ann/run.blend", "recolor": {"palette": "/home/ann/p.yaml", "passes": 2}, "seed": 3}
    assert without_folders(config) == {
        "source": "run.blend",
        "recolor": {"palette": "p.yaml", "passes": 2},
        "seed": 3,
    }
    # what was passed in is not changed
    assert config["source"] == "/home/ann/run.blend"
    assert without_folders({"recolor": {"palette": None}}) == {"recolor": {"palette": None}}


def test_an_exposure_sheet_is_named_without_its_folder() -> None:
    config = {"timing": {"sheet": "/home/ann/sheet.csv", "cells": "drawings"}}
    assert without_folders(config) == {"timing": {"sheet": "sheet.csv", "cells": "drawings"}}


def test_files_of_one_name_in_two_folders_are_both_there() -> None:
    inputs = {"/a/wood.png": "1", "/b/wood.png": "2", "//tree.blend": "3"}
    assert inputs_without_folders(inputs) == {"wood.png": "1", "wood.png (2)": "2", "tree.blend": "3"}
    # published names are published as they are
    assert inputs_without_folders(inputs_without_folders(inputs)) == inputs_without_folders(inputs)


def test_sentences_do_not_name_the_films_folder() -> None:
    notes = ("the library /home/ann/lib.blend is read", "nothing else")
    assert notes_without_folders(notes, {"source": "/home/ann/run.blend"}) == (
        "the library lib.blend is read",
        "nothing else",
    )
    assert notes_without_folders(notes, {"source": "/run.blend"}) == notes
    assert notes_without_folders(notes, {}) == notes
