"""The interpolators against what STScI's compiled blot code gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shipped import by_name

from drizframe.model import PixelMap
from drizframe.pixels.blot import blot_chip

VECTORS = json.loads((Path(__file__).parent / "data" / "blot.json").read_text())
RECORDS = by_name("interpolator")
TRANSFORMS = {t["name"]: (np.array(t["M"]), np.array(t["t"])) for t in VECTORS["transforms"]}
#: drizzlepac's own Lanczos reads a wrong stencil (trap 13-6); we follow the drizzle library.
CASES = [c for c in VECTORS["cases"] if c["interp"] in RECORDS]


def floats(rows):
    return np.array([[np.nan if v is None else float(v) for v in row] for row in rows])


def pixmap_of(case, shape):
    matrix, shift = TRANSFORMS[case["transform"]]
    j, i = np.mgrid[: shape[0], : shape[1]].astype(float)
    x = matrix[0, 0] * i + matrix[0, 1] * j + shift[0]
    y = matrix[1, 0] * i + matrix[1, 1] * j + shift[1]
    # The references round positions to float32 (trap 13-11, which we do not follow): give them rounded.
    return np.dstack([x, y]).astype(np.float32)


def test_only_the_lanczos_of_drizzlepac_is_left_out():
    left_out = {c["interp"] for c in VECTORS["cases"]} - set(RECORDS)
    assert left_out == {"lan3", "lan5"}
    assert len(CASES) == 94


@pytest.mark.parametrize("kind", ["reference", "fast"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_vectors_are_reproduced(case, kind):
    call = getattr(RECORDS[case["interp"]], kind)
    if call is None:
        pytest.skip("compiled modules were not built")
    source = floats(VECTORS["sources"][case["source"]]).astype(np.float32)
    expected = floats(case["expected"])
    pixmap = pixmap_of(case, expected.shape)
    blot = blot_chip(
        source,
        PixelMap.from_pixmap(pixmap),
        RECORDS[case["interp"]],
        factor=case["exptime"] / case["pix_ratio"] ** 2,
        fill=VECTORS["misval"],
        call=lambda record: call,
    )
    # null in the file: undefined in the reference; of those at our own edges see the unit tests (13-2, 13-4).
    known = np.isfinite(expected)
    if case["interp"] == "poly5":
        known &= ~sixth_row_is_off_the_top(pixmap, source.shape)
    # The references work in float32; an independent float64 model agrees with them to 4e-7 as well.
    scale = np.abs(source).max() * case["exptime"] / case["pix_ratio"] ** 2
    np.testing.assert_allclose(blot[known], expected[known], rtol=0, atol=4e-7 * scale)
    assert np.isfinite(blot).all()


def sixth_row_is_off_the_top(pixmap, shape):
    """Where trap 13-3 shows: the reference has row ny - 4 in place of the sixth row of the stencil of poly5."""
    y = pixmap[..., 1]
    with np.errstate(invalid="ignore"):
        return (np.floor(y) >= shape[0] - 3) & (np.floor(y) < shape[0])


def with_row_for_the_sixth(source, m):
    """The source continued by m reflected rows and the row that the reference takes for the sixth."""
    mirrored = [2.0 * source[-1] - source[-1 - k] for k in range(1, m + 1)]
    return np.array([*source, *mirrored, source[max(len(source) - 4, 0)]])


TOPMOST = [c for c in CASES if c["interp"] == "poly5" and sixth_row_is_off_the_top(
    pixmap_of(c, floats(c["expected"]).shape), np.shape(VECTORS["sources"][c["source"]])).any()]  # fmt: skip


@pytest.mark.parametrize("case", TOPMOST, ids=lambda c: c["id"])
def test_poly5_differs_from_the_vectors_by_the_sixth_row_alone(case):  # trap 13-3
    source = floats(VECTORS["sources"][case["source"]])
    expected = floats(case["expected"])
    pixmap = pixmap_of(case, expected.shape).astype(float)
    factor = case["exptime"] / case["pix_ratio"] ** 2
    top = sixth_row_is_off_the_top(pixmap, source.shape) & np.isfinite(expected)
    top &= (pixmap[..., 0] >= 0) & (pixmap[..., 0] < source.shape[1])
    assert top.any()
    for j, i in np.argwhere(top):
        x, y = pixmap[j, i]
        image = with_row_for_the_sixth(source, int(y) - (source.shape[0] - 3))
        found = RECORDS["poly5"].reference(image, np.array([x]), np.array([y]), fill=0.0)[0] * factor
        assert abs(found - expected[j, i]) < 4e-7 * np.abs(source).max() * factor
