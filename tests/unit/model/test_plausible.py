"""Pixels that no sky fell on are told from dark skies, counted photons, coarse numbers and images without noise."""

from __future__ import annotations

import numpy as np
import pytest

from drizframe.model.plausible import constant_value, unused_pixels

SIDE = 90
Y, X = np.mgrid[0:SIDE, 0:SIDE]


def sky(level=3.0, noise=0.2, seed=1):
    return np.random.default_rng(seed).normal(level, noise, (SIDE, SIDE)).astype(np.float32)


def poisson(level, shape=(SIDE, SIDE), seed=1):
    return np.random.default_rng(seed).poisson(level, shape).astype(np.float32)


def star(sigma, flux=1000.0, level=0.0):
    image = np.exp(-0.5 * ((X - 45) ** 2 + (Y - 45) ** 2) / sigma**2)
    return (level + flux * image / image.sum()).astype(np.float32)


def frame(width):
    border = np.zeros((SIDE, SIDE), bool)
    border[:width] = border[:, :width] = True
    return border


def turned(angle):
    u, v = (
        np.cos(np.radians(angle)) * (X - 44) + s * np.sin(np.radians(angle)) * (Y - 44) for s in (1.0, -1.0)
    )
    return (np.abs(u) > 38) | (np.abs(v) > 38)


def found(image):
    return unused_pixels(image, np.isfinite(image))


@pytest.mark.parametrize("value", [0.0, -999.0, 65535.0, 3.0])
@pytest.mark.parametrize("width", [1, 2, 5, 18, 40])
def test_borders_of_any_width_and_value_are_found(width, value):
    image = np.where(frame(width), np.float32(value), sky() + star(2.0))
    region, values = found(image)
    assert np.array_equal(region, frame(width))
    assert values == (value,)


@pytest.mark.parametrize(
    "where",
    [turned(10), turned(45), np.hypot(X - 44, Y - 44) > 42, np.abs(Y - 44) < 4],
    ids=["corners", "diamond", "circle", "gap"],
)
def test_regions_of_any_outline_are_found(where):
    region, _ = found(np.where(where, np.float32(0), sky()))
    assert np.mean(region == where) > 0.99
    assert not (region & ~where).any()


@pytest.mark.parametrize(
    "image",
    [
        sky(0.0),
        np.round(sky(1000.0, 30.0)),
        poisson(2.0),
        poisson(50.0),
        sky() * np.exp(-np.hypot(X - 44, Y - 44) / 200),
    ],
    ids=["no sky", "integers", "few photons", "photons", "vignetted"],
)
def test_borders_are_found_in_skies_of_any_kind(image):
    region, _ = found(np.where(Y < 20, np.float32(0), image))
    assert np.mean(region == (Y < 20)) > 0.99


def test_two_values_and_nan_may_fill_one_image():
    image = sky()
    image[:20], image[70:], image[:, :5] = 0.0, -99.0, np.nan
    region, values = found(image)
    assert sorted(values) == [-99.0, 0.0]
    assert np.array_equal(region, ((Y < 20) | (Y >= 70)) & (X >= 5))


def test_flagged_pixels_do_not_count():
    image = np.where(Y < 20, np.float32(0), sky())
    assert unused_pixels(image, Y >= 20) == (None, ())


@pytest.mark.parametrize("flat", [0.0, 0.05])
@pytest.mark.parametrize("level", [1e-5, 1e-3, 3e-3, 0.03, 0.1, 0.3, 1.0, 3.0])
def test_counted_photons_are_no_unused_pixels(level, flat):
    for shape in ((120, 120), (700, 700)):
        image = poisson(level, shape)
        image = (
            image / np.random.default_rng(2).normal(1.0, flat, shape).astype(np.float32) if flat else image
        )
        assert found(image) == (None, ())


@pytest.mark.parametrize("background", [0.0, 3e-3, 0.03])
@pytest.mark.parametrize(("sigma", "flux"), [(2.0, 1e3), (6.0, 1e5), (15.0, 1e6)])
def test_stars_of_photons_on_a_dark_sky_are_no_unused_pixels(sigma, flux, background):
    assert found(poisson(star(sigma, flux) + background)) == (None, ())


@pytest.mark.parametrize("level", [0.0, 2.0, 100.0])
@pytest.mark.parametrize("sigma", [1.2, 3.0, 6.0, 12.0, 25.0])
@pytest.mark.parametrize("whole", [False, True])
def test_images_without_noise_are_no_unused_pixels(sigma, level, whole):
    image = star(sigma, 1e5, level)
    assert found(np.round(image) if whole else image) == (None, ())


@pytest.mark.parametrize(
    "image",
    [
        np.round(sky(0.0, 0.3)), np.round(sky(0.0, 0.5)), np.round(X / 20.0), X * 1.0, np.where(X > 45, 3.0, 1.0),
        np.where(X % 2, 0.0, sky()), np.where((X > 20) & (X < 50) & (Y > 20) & (Y < 50), 1e5, sky()),
    ],
    ids=["coarse", "less coarse", "steps", "slope", "halves", "columns", "saturated"],
)  # fmt: skip
def test_other_images_that_repeat_a_value_are_no_unused_pixels(image):
    assert found(np.asarray(image, np.float32)) == (None, ())


def test_one_bright_half_and_one_dark_half_are_both_sky():
    level = np.where(np.arange(400) < 200, 1e-3, 5.0) * np.ones((400, 1))
    assert found(poisson(level, level.shape)) == (None, ())


def test_a_constant_image_is_told_by_its_good_pixels():
    image = sky()
    image[:, 10:] = 7.0
    assert constant_value(image, X >= 10) == 7.0
    assert constant_value(image, X >= 9) is None
    assert constant_value(image, X > 100) is None
