"""Exposures that hold no image of the sky are told by name, and do not spoil the others."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.errors import NothingToCombineError

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")

SHAPE = (40, 44)


def plane(shift=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, 2.0], [22.0 + shift, 20.0], [-3e-5, 3e-5]
    wcs.wcs.set()
    return wcs


def image(seed):
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    star = 400 * np.exp(-0.5 * ((x - 21 - 0.3 * seed) ** 2 + (y - 19) ** 2) / 2.0)
    return 5.0 + star + np.random.default_rng(seed).normal(0.0, 0.1, SHAPE)


def stack(odd=None, count=4, **facts):
    """Exposures of which the third is `odd`."""
    return [
        Exposure.from_arrays(
            image(k) if k != 2 or odd is None else odd, plane(0.3 * k), name=f"e{k}", exptime=100.0, unit="electrons/s",
            **(facts if k == 2 else {}),
        )
        for k in range(count)
    ]  # fmt: skip


def mostly(value):
    """One value but for a flagged corner, and NaN."""
    data = np.full(SHAPE, value)
    data[:3, :3] = np.arange(9.0).reshape(3, 3)
    data[10] = np.nan
    return data


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros(SHAPE),
        np.full(SHAPE, 65535.0),
        np.full(SHAPE, np.nan),
        np.full(SHAPE, np.inf),
        np.zeros(SHAPE, "i2"),
        mostly(3.0),
    ],
    ids=["zero", "saturated", "nan", "infinite", "integer", "flagged"],
)
def test_a_frame_without_an_image_is_left_out_by_name(odd):
    flags = np.zeros(SHAPE, np.int16)
    flags[:3, :3] = 4
    result = drizframe.run(stack(odd, dq=flags))
    assert [e.name for e in result.exposures] == ["e0", "e1", "e3"]
    assert any("'e2' is left out" in w for w in result.warnings)
    expected = drizframe.run([e for k, e in enumerate(stack()) if k != 2])
    assert np.array_equal(result.sci, expected.sci, equal_nan=True)


def test_a_chip_without_an_image_is_left_out_of_its_exposure():
    made = [
        Exposure.from_arrays(
            [image(k), np.zeros(SHAPE) if k == 1 else image(k + 5)], [plane(), plane(50)], name=f"e{k}", exptime=10.0
        )
        for k in range(3)
    ]  # fmt: skip
    result = drizframe.run(made)
    assert [len(e.chips) for e in result.exposures] == [2, 1, 2]
    assert any("Chip 2 of exposure 'e1' is left out" in w for w in result.warnings)


def test_flat_images_among_themselves_are_combined():
    flat = [Exposure.from_arrays(np.full(SHAPE, 3.0), plane(), name=f"e{k}") for k in range(2)]
    result = drizframe.run(flat, skysub=False, static=False)
    assert np.nanmax(result.sci) == pytest.approx(3.0)


def test_nothing_is_left_of_frames_without_a_good_pixel():
    nothing = [Exposure.from_arrays(np.full(SHAPE, np.nan), plane(), name=f"e{k}") for k in range(2)]
    with pytest.raises(NothingToCombineError, match="none of the 2"):
        drizframe.run(nothing)


@pytest.mark.parametrize("value", [0.0, -50.0, 1e4])
@pytest.mark.parametrize("stat", ["median", "mode", "mean"])
def test_unused_pixels_count_neither_for_the_sky_nor_in_the_mosaic(value, stat):
    def run(fill):
        made = []
        for k in range(4):
            data = image(k)
            data[:12], data[:, :9] = fill, fill
            made.append(
                Exposure.from_arrays(data, plane(0.3 * k), name=f"e{k}", exptime=100.0, unit="electrons/s")
            )
        return drizframe.run(made, skystat=stat)

    filled, empty = run(value), run(np.nan)
    assert [v for values in filled.sky.values() for v in values] == [
        v for values in empty.sky.values() for v in values
    ]
    assert np.array_equal(filled.sci, empty.sci, equal_nan=True)
    assert sum(f"hold exactly {value:g}" in w for w in filled.warnings) == 4
    assert not any("hold exactly" in w for w in empty.warnings)


def test_counted_photons_of_a_dark_sky_are_combined_as_they_are():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    model = 0.01 + 60 * np.exp(-0.5 * ((x - 21) ** 2 + (y - 19) ** 2) / 4.0)
    made = [
        Exposure.from_arrays(
            rng.poisson(model).astype("f4"), plane(), name=f"e{k}", exptime=100.0, unit="electrons"
        )
        for k in range(3)
    ]
    result = drizframe.run(made)
    assert all(v.level == 0.0 for values in result.sky.values() for v in values)
    assert not any("hold exactly" in w for w in result.warnings)
    assert np.nansum(result.sci[result.wht > 0]) * 100 == pytest.approx(model.sum(), rel=0.1)
