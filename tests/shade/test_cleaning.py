"""Specks and teeth go; what a hand would draw stays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from animerun_gen.shade.kernels import cleaning
from animerun_gen.shade.tone import BASE, HIGHLIGHT, SHADOW


def voted(tones: np.ndarray, instances: np.ndarray | None = None, normals: np.ndarray | None = None) -> np.ndarray:
    instances = np.zeros(tones.shape, np.int32) if instances is None else instances
    if normals is None:
        normals = np.zeros((*tones.shape, 3), np.float32)
        normals[..., 2] = 1.0
    places = np.zeros((*tones.shape, 3), np.float32)
    found = np.empty_like(tones)
    cleaning.vote(tones, instances, normals, places, np.ones(tones.shape, np.float32), found)
    return found


def test_specks_and_teeth_go_and_straight_borders_stay() -> None:
    tones = np.full((40, 40), BASE, np.uint8)
    tones[:, 20:] = SHADOW
    straight = tones.copy()
    tones[10, 19] = SHADOW  # a tooth
    tones[30, 5] = tones[31, 30] = SHADOW  # a speck, and nothing
    tones[12, 32] = BASE
    assert (voted(tones) == straight).all()
    diagonal = np.where(np.add.outer(np.arange(40), np.arange(40)) < 40, BASE, SHADOW).astype(np.uint8)
    assert (voted(diagonal) == diagonal)[3:-3, 3:-3].all()


def test_a_corner_of_a_cube_is_not_rounded() -> None:
    tones = np.full((20, 20), BASE, np.uint8)
    tones[5:, 8:] = SHADOW
    normals = np.zeros((20, 20, 3), np.float32)
    normals[..., 2] = 1.0
    normals[5:, 8:] = 1.0, 0.0, 0.0
    assert (voted(tones, normals=normals) == tones).all()
    assert (voted(tones) != tones).any()


def test_surfaces_do_not_vote_for_each_other() -> None:
    tones = np.full((20, 20), BASE, np.uint8)
    tones[:, 9] = SHADOW
    instances = np.zeros((20, 20), np.int32)
    instances[:, 9] = 1
    assert (voted(tones, instances) == tones).all()
    assert (voted(tones) == BASE).all()


@pytest.mark.parametrize("seed", range(6))
def test_no_small_region_is_left_that_borders_on_its_own_surface(seed: int) -> None:
    generator = np.random.default_rng(seed)
    instances = np.kron(generator.integers(0, 3, (4, 5)), np.ones((12, 12))).astype(np.int32)
    tones = generator.integers(1, 4, instances.shape).astype(np.uint8)
    tones[:6, :9] = 0
    before = tones.copy()
    cleaning.merge_small(tones, instances, 25)
    assert ((tones == 0) == (before == 0)).all()
    for instance in range(3):
        of_instance = (instances == instance) & (tones > 0)
        pieces, _ = ndimage.label(of_instance)
        for tone in (SHADOW, BASE, HIGHLIGHT):
            regions, count = ndimage.label(of_instance & (tones == tone))
            for region in range(1, count + 1):
                pixels = regions == region
                whole = (pieces == pieces[pixels][0]).sum()
                assert pixels.sum() >= 25 or pixels.sum() == whole


def test_large_regions_stay_as_they_are() -> None:
    tones = np.full((30, 30), BASE, np.uint8)
    tones[5:12, 5:12] = SHADOW
    tones[20:22, 20:22] = HIGHLIGHT
    expected = tones.copy()
    expected[20:22, 20:22] = BASE
    cleaning.merge_small(tones, np.zeros((30, 30), np.int32), 10)
    assert (tones == expected).all()
