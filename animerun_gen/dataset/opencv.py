"""OpenCV, from whichever of its packages is installed: pip cannot ask for one of several, so they are named here."""

from __future__ import annotations

from animerun_gen.errors import MissingPackageError

try:
    import cv2
# a package that lacks a system library fails so as well
except ImportError as error:
    raise MissingPackageError(
        f"animerun_gen.dataset needs OpenCV, which cannot be imported ({error})",
        remedy="install opencv-python-headless, or opencv-python where programs of yours open windows: "
        "'pip install opencv-python-headless'",
    ) from error

__all__ = ["cv2"]
