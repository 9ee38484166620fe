"""Settings that several commands have."""

from __future__ import annotations

from typing import Any

from animerun_gen.settings import File, Whole, setting


def dataset() -> Any:
    return setting(placed=True, reads=File(), metavar="DATASET", help="root folder of the dataset")


def workers() -> Any:
    return setting(1, reads=Whole(1), metavar="N", help="number of worker processes (default: {default})")


def blender(help: str = "use this installed Blender (3.4 or newer) instead of the bpy module") -> Any:
    return setting(None, metavar="PROGRAM", help=help)


def cuts(help: str) -> Any:
    return setting((), names=("--cut",), several=True, metavar="NAME", help=help)


def json_file() -> Any:
    return setting(None, reads=File(), metavar="FILE", help="write the results to a file for other programs too")


def force(help: str) -> Any:
    return setting(False, help=help)
