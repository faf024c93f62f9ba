"""Hypothesis strategies for what components are given.

Every strategy takes strategies, by keyword, and draws valid input by default.  They shrink towards small images of zeros,
the identity map and a pixel scale of 1.  Magnitudes stay far below the square root of the largest float32, so that sums
of products do not overflow.  Shifts are multiples of 1/1024 pixel, so that whole-pixel shifts of positions are exact.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drizframe.model import Chip, Exposure, Frame, PixelMap

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = [
    "Stack",
    "affine_maps",
    "chips",
    "exposures",
    "frames",
    "headers",
    "images",
    "masks",
    "pixmaps",
    "shapes",
    "stacks",
    "weights",
]

Array = np.ndarray[Any, Any]
#: Largest magnitude of pixels that are drawn by default.
LARGEST = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """What a combiner is given.

    Parameters
    ----------
    stack, bad, weight : ndarray, shape (n, h, w)
        Images, flags and weights.
    exptime, background, readnoise : ndarray, shape (n,)
        Facts of the exposures.
    """

    stack: Array
    bad: Array
    weight: Array
    exptime: Array
    background: Array
    readnoise: Array

    def facts(self) -> dict[str, Any]:
        """Return the keywords of a combiner, without options."""
        names = ("weight", "exptime", "background", "readnoise")
        return {**{n: getattr(self, n) for n in names}, "n_total": len(self.stack)}

    def ordered(self, order: Array) -> Stack:
        """Return the exposures in another order."""
        return Stack(**{f.name: getattr(self, f.name)[order] for f in dataclasses.fields(self)})


def shapes(
    *, rows: SearchStrategy[int] | None = None, columns: SearchStrategy[int] | None = None
) -> SearchStrategy[Any]:
    """Rows and columns of images, at least one of each.

    Parameters
    ----------
    rows, columns : strategy of int
        By default 1 to 7.

    Returns
    -------
    shapes : strategy of (int, int)
        For the strategies of images.
    """
    return st.tuples(_either(rows, st.integers(1, 7)), _either(columns, st.integers(1, 7)))


def images(
    *,
    shapes: SearchStrategy[Any] | None = None,
    dtypes: SearchStrategy[Any] | None = None,
    elements: SearchStrategy[float] | None = None,
) -> SearchStrategy[Array]:
    """Images with finite pixels: float32 and float64, also big-endian.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the images.
    dtypes : strategy of dtype
        Types of numbers.
    elements : strategy of float
        Values of pixels.

    Returns
    -------
    images : strategy of ndarray
        Most pixels are 0.
    """
    values = _either(elements, st.floats(-LARGEST, LARGEST, width=32))
    kinds = _either(dtypes, st.sampled_from(["f4", "f8", ">f4"]))
    return st.tuples(
        kinds, hnp.arrays(np.float32, _either(shapes, _shapes()), elements=values, fill=st.just(0.0))
    ).map(lambda pair: pair[1].astype(pair[0]))


def weights(
    *, shapes: SearchStrategy[Any] | None = None, elements: SearchStrategy[float] | None = None
) -> SearchStrategy[Array]:
    """Weight images (float32): 0 and above.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the images.
    elements : strategy of float
        Values of pixels.

    Returns
    -------
    weights : strategy of ndarray
        Most pixels are 1.
    """
    values = _either(elements, st.one_of(st.just(0.0), st.floats(0.5, 1024.0, width=32)))
    return hnp.arrays(np.float32, _either(shapes, _shapes()), elements=values, fill=st.just(1.0))


def masks(*, shapes: SearchStrategy[Any] | None = None) -> SearchStrategy[Array]:
    """Masks (uint8): 1 good, 0 bad.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the masks.

    Returns
    -------
    masks : strategy of ndarray
        Most pixels are good.
    """
    return hnp.arrays(np.uint8, _either(shapes, _shapes()), elements=st.integers(0, 1), fill=st.just(1))


def affine_maps(
    *,
    shapes: SearchStrategy[Any] | None = None,
    angles: SearchStrategy[float] | None = None,
    scales: SearchStrategy[float] | None = None,
    flips: SearchStrategy[bool] | None = None,
    shifts: SearchStrategy[float] | None = None,
) -> SearchStrategy[PixelMap]:
    """Maps that shift, rotate, stretch and mirror; see `pixmaps`.

    Parameters
    ----------
    shapes, angles, scales, flips, shifts : strategy
        As of `pixmaps`.

    Returns
    -------
    maps : strategy of PixelMap
        Without bends.
    """
    return pixmaps(
        shapes=shapes, angles=angles, scales=scales, flips=flips, shifts=shifts, bends=st.just(0.0)
    )


def off_ties(k: int) -> bool:
    """Whether a position of k / 1024 pixel is no whole, half or quarter one.

    There a pixel's edge, or that of a kernel's box, may fall on the edge of an output pixel, and which of the two
    neighbours counts as touched is a matter of taste (and of the direction, so that a turned image differs).
    """
    return k % 256 != 0


#: Positions on a frame that are no ties.
OFF_TIES = st.integers(0, 1023).filter(off_ties).map(lambda k: 32.0 + k / 1024.0)
#: Any positions on a frame: beyond its edges, large, whole, half and quarter ones.
ANYWHERE = st.one_of(
    OFF_TIES,
    st.sampled_from([32.0, 32.5, 32.25, -3.0, -7.5, 1200.0, 2048.5]),
    st.integers(-9000, 4_000_000).map(lambda k: k / 1024.0),
)


@st.composite
def pixmaps(
    draw: DrawFn,
    *,
    shapes: SearchStrategy[Any] | None = None,
    angles: SearchStrategy[float] | None = None,
    scales: SearchStrategy[float] | None = None,
    flips: SearchStrategy[bool] | None = None,
    shifts: SearchStrategy[float] | None = None,
    bends: SearchStrategy[float] | None = None,
) -> PixelMap:
    """Maps from small chips onto a frame: rotated, mirrored, distorted.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the chip.
    angles : strategy of float
        Rotation in degrees.
    scales : strategy of float
        Size of a frame pixel over that of a chip pixel; the map has it as ``extra["scale"]``.
    flips : strategy of bool
        Whether the x axis is mirrored.
    shifts : strategy of float
        Position of the chip's first pixel on both axes of the frame.
    bends : strategy of float
        Quadratic distortion, in pixels for each squared pixel.

    Returns
    -------
    maps : strategy of PixelMap
        With ``extra`` as they were drawn.
    """
    shape = draw(_either(shapes, _shapes()))
    # multiples of 90 degrees and exact scales switch special cases of compiled loops on; the others the general ones
    angle = draw(
        _either(
            angles, st.one_of(st.just(0.0), st.sampled_from([90.0, 180.0, 270.0]), st.floats(-180.0, 180.0))
        )
    )
    scale = draw(_either(scales, st.sampled_from([1.0, 0.5, 2.0, 0.8, 1.3])))
    flip = -1.0 if draw(_either(flips, st.booleans())) else 1.0
    fraction = _either(shifts, OFF_TIES)
    tx, ty = draw(fraction), draw(fraction)
    bend = draw(_either(bends, st.sampled_from([0.0, 1e-3])))
    return affine_map(shape, angle=angle, scale=scale, flip=flip, shift=(tx, ty), bend=bend)


def affine_map(
    shape: tuple[int, int],
    *,
    angle: float = 0.0,
    scale: float = 1.0,
    flip: float = 1.0,
    shift: tuple[float, float] = (32.0, 32.0),
    bend: float = 0.0,
) -> PixelMap:
    """Return one map of `pixmaps`; multiples of 90 degrees are exact."""
    quarter = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
    c, s = quarter.get(angle, (math.cos(math.radians(angle)), math.sin(math.radians(angle))))

    def transform(x: Array, y: Array) -> tuple[Array, Array]:
        u, v = flip * x + bend * x * y, y + bend * x * x
        return (c * u - s * v) / scale + shift[0], (s * u + c * v) / scale + shift[1]

    return dataclasses.replace(
        PixelMap.from_function(transform, shape),
        extra={"scale": scale, "angle": angle, "flip": flip, "shift": shift, "bend": bend},
    )


@st.composite
def frames(
    draw: DrawFn, *, shapes: SearchStrategy[Any] | None = None, scales: SearchStrategy[float] | None = None
) -> Frame:
    """Output frames: a tangent-plane WCS and a shape.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the frame.
    scales : strategy of float
        Side of a pixel in arcsec.

    Returns
    -------
    frames : strategy of Frame
        With the reference pixel in the middle.
    """
    shape, scale = draw(_either(shapes, _shapes())), draw(_either(scales, st.sampled_from([1.0, 0.05, 0.1])))
    return Frame(wcs=tangent_plane(shape, scale), shape=shape, scale=scale)


@st.composite
def headers(draw: DrawFn, *, cards: SearchStrategy[dict[str, Any]] | None = None) -> Any:
    """Primary headers (`astropy.io.fits.Header`) of an imaging exposure.

    Parameters
    ----------
    cards : strategy of dict
        Keywords that are added, or take the place of those drawn.

    Returns
    -------
    headers : strategy of astropy.io.fits.Header
        Of a camera ``TESTCAM``.
    """
    from astropy.io import fits

    own = {
        "TELESCOP": "TEST",
        "INSTRUME": "TESTCAM",
        "DETECTOR": "ONE",
        "FILTER": "CLEAR",
        "EXPTIME": draw(st.floats(1.0, 1000.0)),
        "EXPSTART": 53436.0,
        "EXPEND": 53436.01,
    }
    return fits.Header({**own, **draw(_either(cards, st.just({})))})


@st.composite
def exposures(
    draw: DrawFn,
    *,
    shapes: SearchStrategy[Any] | None = None,
    units: SearchStrategy[Any] | None = None,
    counts: SearchStrategy[int] | None = None,
) -> Exposure:
    """Exposures in memory with science, error and data-quality images, dark, gain and read noise.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the chips.
    units : strategy of str
        ``"electrons"``, ``"electrons/s"``, ``"counts"``, ``"counts/s"``.
    counts : strategy of int
        Number of chips; by default 1.

    Returns
    -------
    exposures : strategy of Exposure
        With a tangent-plane WCS.
    """
    shape, count = draw(_either(shapes, _shapes())), draw(_either(counts, st.just(1)))
    unit = draw(_either(units, st.sampled_from(["electrons/s", "electrons", "counts", "counts/s"])))
    sci = [draw(images(shapes=st.just(shape), dtypes=st.just("f4"))) for _ in range(count)]
    err = [
        draw(weights(shapes=st.just(shape), elements=st.floats(0.5, 64.0, width=32))) for _ in range(count)
    ]
    dq = [(1 - draw(masks(shapes=st.just(shape)))).astype(np.int16) * np.int16(4) for _ in range(count)]
    return Exposure.from_arrays(
        sci,
        [tangent_plane(shape, 0.1)] * count,
        name="drawn",
        exptime=draw(st.sampled_from([1.0, 100.0, 37.5])),
        err=err,
        dq=dq,
        unit=unit,
        gain=draw(st.sampled_from([1.0, 2.0, 7.0])),
        readnoise=draw(st.sampled_from([0.0, 3.0, 5.5])),
        dark=draw(st.sampled_from([0.0, 1.5])),
    )


def chips(**strategies: Any) -> SearchStrategy[Chip]:
    """Chips of `exposures`, whose keywords it takes.

    Parameters
    ----------
    **strategies : strategy
        Keywords of `exposures`.

    Returns
    -------
    chips : strategy of Chip
        The first of each exposure.
    """
    return exposures(**strategies).map(lambda exposure: exposure.chips[0])


@st.composite
def stacks(
    draw: DrawFn,
    *,
    shapes: SearchStrategy[Any] | None = None,
    counts: SearchStrategy[int] | None = None,
    elements: SearchStrategy[float] | None = None,
    always_good: SearchStrategy[bool] | None = None,
) -> Stack:
    """Stacks of singly drizzled images; with `always_good` every pixel has one good value at least.

    Parameters
    ----------
    shapes : strategy of (int, int)
        Rows and columns of the images.
    counts : strategy of int
        Number of exposures; by default 1 to 6.
    elements : strategy of float
        Values of pixels.
    always_good : strategy of bool
        Whether every pixel has a good value.

    Returns
    -------
    stacks : strategy of Stack
        Images, flags, weights and facts.
    """
    shape, n = draw(_either(shapes, _shapes())), draw(_either(counts, st.integers(1, 6)))
    whole = (n, *shape)
    values = _either(elements, st.floats(-1024.0, 1024.0, width=32))
    bad = draw(hnp.arrays(np.bool_, whole, elements=st.booleans(), fill=st.just(False)))
    if draw(_either(always_good, st.just(False))):
        bad[-1] &= ~bad.all(axis=0)
    facts = [
        draw(hnp.arrays(np.float64, (n,), elements=st.floats(low, high), fill=st.just(low)))
        for low, high in ((1.0, 1000.0), (0.0, 100.0), (0.0, 10.0))
    ]
    return Stack(
        stack=draw(hnp.arrays(np.float32, whole, elements=values, fill=st.just(0.0))),
        bad=bad,
        weight=draw(weights(shapes=st.just(whole), elements=st.floats(0.5, 1024.0, width=32))),
        exptime=facts[0],
        background=facts[1],
        readnoise=facts[2],
    )


def tangent_plane(shape: tuple[int, int], scale: float, offset: tuple[float, float] = (0.0, 0.0)) -> Any:
    """Return a tangent-plane `astropy.wcs.WCS` whose reference pixel is the centre plus `offset` (x, y)."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [(shape[1] + 1) / 2 + offset[0], (shape[0] + 1) / 2 + offset[1]]
    wcs.wcs.cd = np.array([[-scale, 0.0], [0.0, scale]]) / 3600.0
    wcs.pixel_shape = (shape[1], shape[0])
    wcs.wcs.set()
    return wcs


def _either(given: SearchStrategy[Any] | None, default: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Return the strategy that was given, else the default."""
    return default if given is None else given


_shapes = shapes
