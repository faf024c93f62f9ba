"""Common regions of chips on the sky.

Footprints are quadrilaterals of great circles.  Two of them are projected to the tangent plane at their
common centre, where great circles are straight lines, and clipped as convex polygons; the common polygon is
then drawn on the pixels of either chip.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import FrameWarning, WCSError
from drizframe.grids.sky_systems import SkySystem, conversion, system_of
from drizframe.model import Chip, ChipUnit, Exposure, Overlap

__all__ = ["Region", "chip_footprint", "common_polygon", "find_overlaps", "scan_polygon", "spherical_area"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]

#: Accuracy, in pixels, of the way back from the sky to a chip.
TOLERANCE = 1e-4
#: Distances in the tangent plane (radians) that are rounding only.
ROUNDING = 1e-15
#: Footprints whose corners agree to this angle (radians) are one footprint.
SAME = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels of a chip as runs of rows; an array of bool only when one asks for it (`numpy.asarray`).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the chip.
    runs : ndarray of int64, shape (n, 3)
        Row, first and last column of every run, inside the chip.
    """

    shape: tuple[int, int]
    runs: Whole

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return the region as an image of bool, shape (ny, nx)."""
        image = np.zeros(self.shape, dtype=bool)
        for row, first, last in self.runs:
            image[row, first : last + 1] = True
        return image if dtype is None else image.astype(dtype, copy=False)

    @property
    def size(self) -> int:
        """Number of pixels of the runs."""
        return int((self.runs[:, 2] - self.runs[:, 1] + 1).sum())


def _unit_vectors(lon: Array, lat: Array) -> Array:
    """Return unit vectors, shape (n, 3), of positions in degrees."""
    a, d = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def chip_footprint(chip: Chip) -> Array:
    """Return the sky positions of the outer corners of a chip.

    Parameters
    ----------
    chip : Chip
        Its WCS with all distortion is used.

    Returns
    -------
    ndarray of float64, shape (4, 3)
        ChipUnit vectors of the corners (-1/2, -1/2), (nx-1/2, -1/2), (nx-1/2, ny-1/2), (-1/2, ny-1/2).

    Raises
    ------
    WCSError
        If a corner has no position on the sky.
    """
    ny, nx = chip.shape
    x = np.array([-0.5, nx - 0.5, nx - 0.5, -0.5])
    y = np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    lon, lat = chip.wcs.all_pix2world(x, y, 0)
    if chip.wcs.wcs.lng > 0:
        lon, lat = lat, lon
    corners = _unit_vectors(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    if not np.isfinite(corners).all():
        msg = (
            f"The WCS of chip {chip.extver} gives no sky position for a corner of the chip. "
            "Correct the WCS, or use a "
            f"sky method that does not match exposures."
        )
        raise WCSError(msg)
    return corners


def _tangent_basis(centre: Array) -> Array:
    """Return two unit vectors that span the tangent plane at `centre`, shape (2, 3)."""
    helper = np.eye(3)[int(np.argmin(np.abs(centre)))]
    u = np.cross(helper, centre)
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(centre, u)])


def _anticlockwise(polygon: Array) -> Array:
    """Return the vertices of a plane polygon in anticlockwise order."""
    x, y = polygon.T
    area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    return polygon if area >= 0 else polygon[::-1]


def _clip(subject: Array, window: Array) -> Array:
    """Clip a convex polygon by another (Sutherland and Hodgman 1974); both anticlockwise, shape (n, 2)."""
    out = list(subject)
    for k in range(len(window)):
        a, b = window[k], window[(k + 1) % len(window)]
        edge = b - a
        rounding = ROUNDING * float(np.hypot(*edge))
        points, out = out, []
        depth = [float(edge[0] * (p[1] - a[1]) - edge[1] * (p[0] - a[0])) for p in points]
        depth = [0.0 if abs(d) <= rounding else d for d in depth]
        for m, point in enumerate(points):
            before, d0, d1 = points[m - 1], depth[m - 1], depth[m]
            if d0 * d1 < 0:
                out.append(before + (point - before) * (d0 / (d0 - d1)))
            if d1 >= 0:
                out.append(point)
        if not out:
            break
    return np.array(out, dtype=np.float64).reshape(-1, 2)


def _distinct(vertices: Array) -> Array:
    """Return the vertices without immediate repetitions."""
    if len(vertices) < 2:
        return vertices
    step = np.abs(vertices - np.roll(vertices, 1, axis=0)).max(axis=1)
    distinct: Array = vertices[step > ROUNDING]
    return distinct


def common_polygon(first: Array, second: Array) -> Array:
    """Intersect two convex quadrilaterals of great circles.

    Parameters
    ----------
    first, second : ndarray of float64, shape (4, 3)
        ChipUnit vectors of their corners, in order around them.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        ChipUnit vectors of the corners of the intersection; n is 0 if there is none, else at least 3.
    """
    nothing = np.empty((0, 3))
    if np.allclose(first, second, rtol=0, atol=SAME):
        return first
    centre = first.sum(axis=0) + second.sum(axis=0)
    length = float(np.linalg.norm(centre))
    if length < SAME:
        return nothing
    centre /= length
    both = np.concatenate([first, second])
    distance = both @ centre
    if distance.min() <= 0:  # more than 90 degrees apart
        return nothing
    plane = (both @ _tangent_basis(centre).T) / distance[:, None]
    clipped = _distinct(_clip(_anticlockwise(plane[:4]), _anticlockwise(plane[4:])))
    if len(clipped) < 3:
        return nothing
    vectors = centre + clipped @ _tangent_basis(centre)
    corners: Array = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    return corners


def spherical_area(polygon: Array) -> float:
    """Return the area of a convex polygon of great circles in steradian.

    Parameters
    ----------
    polygon : ndarray of float64, shape (n, 3)
        ChipUnit vectors of its corners.

    Notes
    -----
    The sum of E over the triangles (a, b, c) of a fan, with
    ``tan(E/2) = det(a, b, c) / (1 + a·b + b·c + c·a)`` (van Oosterom & Strackee 1983);
    ``det(a, b - a, c - a)`` is the same and keeps its digits where triangles are small.
    """
    total = 0.0
    for k in range(1, len(polygon) - 1):
        a, b, c = polygon[0], polygon[k], polygon[k + 1]
        volume = float(a @ np.cross(b - a, c - a))
        total += 2.0 * float(np.arctan2(volume, 1.0 + float(a @ b + b @ c + c @ a)))
    return abs(total)


def _crossings(edges: Whole, rows: Whole) -> Whole:
    """Columns, rounded up and sorted, where edges (x0, y0, x1, y1; y0 < y1) cross rows."""
    x0, y0, x1, y1 = (edges[:, k, None] for k in range(4))
    return np.sort(x0 - (-(rows - y0) * (x1 - x0)) // (y1 - y0), axis=0)


def _band(edges: Whole, low: int, high: int, top: int, shape: tuple[int, int]) -> Whole:
    """Return the runs of rows ``low … high - 1``, in which no edge begins or ends; the topmost row too."""
    ny, nx = shape
    rows = np.arange(max(low, 0), min(high if high < top else high + 1, ny), dtype=np.int64)
    cuts = _crossings(edges[(edges[:, 1] <= low) & (low < edges[:, 3])], rows)
    runs = [
        np.stack([rows, np.maximum(left, 0), np.minimum(right, nx - 1)], axis=1)
        for left, right in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    found = np.concatenate(runs) if runs else np.empty((0, 3), dtype=np.int64)
    return found[found[:, 1] <= found[:, 2]]


def scan_polygon(x: Array, y: Array, shape: tuple[int, int]) -> Region:
    """Draw a polygon on the pixels of a chip, row by row.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Corners in pixels, 0-based; they are rounded to whole pixels (halves to even) first.
    shape : tuple of int
        Rows and columns of the chip.

    Returns
    -------
    Region
        For every row y the edges with ``ylow <= y < yhigh`` are cut (on the last row those of the row before
        it); the cuts are rounded up, sorted and taken in pairs, both ends included.
    """
    px, py = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    qx, qy = np.roll(px, -1), np.roll(py, -1)
    up = py < qy
    edges = np.stack(
        [np.where(up, px, qx), np.where(up, py, qy), np.where(up, qx, px), np.where(up, qy, py)], axis=1
    )
    edges = edges[py != qy]
    levels = np.unique(edges[:, [1, 3]]).tolist()
    bands = [_band(edges, low, high, levels[-1], shape) for low, high in itertools.pairwise(levels)]
    return Region(shape, np.concatenate([np.empty((0, 3), dtype=np.int64), *bands]))


def _on_chip(polygon: Array, chip: Chip, system: SkySystem) -> tuple[Array, Array]:
    """Return the pixel positions of sky positions of a system on a chip, NaN where the WCS finds none."""
    from astropy.wcs import NoConvergence

    lon = np.degrees(np.arctan2(polygon[:, 1], polygon[:, 0])) % 360.0
    lat = np.degrees(np.arctan2(polygon[:, 2], np.hypot(polygon[:, 0], polygon[:, 1])))
    convert = conversion(system, system_of(chip.wcs.wcs))
    if convert is not None:
        lon, lat = convert(lon, lat)
    sky = (lon, lat) if chip.wcs.wcs.lng <= 0 else (lat, lon)
    try:
        x, y = chip.wcs.all_world2pix(*sky, 0, tolerance=TOLERANCE)
    except NoConvergence:
        x, y = chip.wcs.all_world2pix(*sky, 0, tolerance=TOLERANCE, quiet=True)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def _region(polygon: Array, chip: Chip, name: str, system: SkySystem) -> Region | None:
    """Draw a polygon of the sky on a chip; None, with a warning, if the WCS cannot bring it there."""
    x, y = _on_chip(polygon, chip, system)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        warnings.warn(
            f"An overlap on chip {chip.extver} of {name} is left out: its WCS does not lead back from the "
            "sky to pixels.",
            FrameWarning,
            stacklevel=3,
        )
        return None
    return scan_polygon(x, y, chip.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Footprint:
    unit: ChipUnit
    chip: Chip
    name: str
    corners: Array
    centre: Array
    radius: float


def _footprints(exposures: Sequence[Exposure], system: SkySystem) -> list[_Footprint]:
    """Return the footprints of all chips in a sky system; `radius` is the longest chord from centre to corner."""
    found = []
    for i, exposure in enumerate(exposures):
        for k, chip in enumerate(exposure.chips):
            corners = _converted(chip_footprint(chip), system_of(chip.wcs.wcs), system)
            centre = corners.sum(axis=0)
            centre = centre / np.linalg.norm(centre)
            radius = float(np.linalg.norm(corners - centre, axis=1).max())
            found.append(_Footprint(ChipUnit(i, k), chip, exposure.name, corners, centre, radius))
    return found


def _converted(vectors: Array, source: SkySystem, target: SkySystem) -> Array:
    """Return unit vectors, shape (n, 3), in another sky system."""
    convert = conversion(source, target)
    if convert is None:
        return vectors
    lon, lat = (
        np.arctan2(vectors[:, 1], vectors[:, 0]),
        np.arctan2(vectors[:, 2], np.hypot(*vectors[:, :2].T)),
    )
    return _unit_vectors(*convert(np.degrees(lon), np.degrees(lat)))


def _overlap(a: _Footprint, b: _Footprint, system: SkySystem) -> Overlap | None:
    """Return what two chips share, None if nothing."""
    # The chord of a sum of angles is at most the sum of the chords.
    if float(np.linalg.norm(a.centre - b.centre)) > a.radius + b.radius:
        return None
    polygon = common_polygon(a.corners, b.corners)
    if not len(polygon):
        return None
    first, second = (_region(polygon, one.chip, one.name, system) for one in (a, b))
    if first is None or second is None:
        return None
    return Overlap(
        first=a.unit, second=b.unit, first_region=first, second_region=second, area=spherical_area(polygon)
    )


def find_overlaps(exposures: Sequence[Exposure]) -> list[Overlap]:
    """Return the common regions of all chips of different exposures.

    Parameters
    ----------
    exposures : sequence of Exposure
        The run, in order.

    Returns
    -------
    list of Overlap
        In order of the first and then of the second chip; the keys are the chips' `ChipUnit`, the regions
        `Region`.

    Warns
    -----
    FrameWarning
        If a WCS cannot be inverted on an overlap, which is then left out.
    """
    system = system_of(exposures[0].chips[0].wcs.wcs) if exposures else SkySystem("RA", "ICRS")
    chips = _footprints(exposures, system)
    found = []
    for i, k in _near(chips):
        a, b = chips[i], chips[k]
        if a.unit.exposure != b.unit.exposure:
            overlap = _overlap(a, b, system)
            if overlap is not None:
                found.append(overlap)
    return found


def _near(chips: Sequence[_Footprint]) -> Whole:
    """Return the pairs of chips whose centres lie no farther apart than any two that overlap, in order, shape (n, 2)."""
    from scipy.spatial import KDTree

    if len(chips) < 2:
        return np.empty((0, 2), dtype=np.int64)
    # The chord of a sum of angles is at most the sum of the chords.
    farthest = 2.0 * max(c.radius for c in chips)
    pairs = KDTree([c.centre for c in chips]).query_pairs(farthest * (1.0 + 1e-9), output_type="ndarray")
    ordered: Whole = np.sort(pairs, axis=1)[np.lexsort(np.sort(pairs, axis=1).T[::-1])].astype(np.int64)
    return ordered
