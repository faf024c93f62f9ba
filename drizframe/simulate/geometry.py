"""From a pointing to the WCS keywords and lookup tables of every chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drizframe.errors import WCSError
from drizframe.simulate.camera import Camera, ChipDesign
from drizframe.simulate.pointing import Pointing
from drizframe.simulate.sphere import axes_matrix, roll_at, to_tangent, turn_between

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

__all__ = [
    "ChipPlace",
    "alternate_cards",
    "lookup_tables",
    "pixel_matrices",
    "place_chip",
    "sky_to_chip",
    "wcs_cards",
]

Floats = NDArray[np.float64]
Card = tuple[str, Any, str]

#: Distance of the nodes of a lookup table in pixels.
NODE = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipPlace:
    """The linear WCS of one chip in one exposure.

    Parameters
    ----------
    crval : tuple of float
        Sky position of the reference pixel, degrees.
    crpix : tuple of float
        Reference pixel of the image that is read (1-based).
    cd : ndarray of float64, shape (2, 2)
        Degrees per pixel, rows (east, north).
    ltv : tuple of float
        Image pixel minus detector pixel, (x, y).
    v2v3 : tuple of float
        Focal-plane position of the reference pixel, arcsec.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: Floats
    ltv: tuple[float, float]
    v2v3: tuple[float, float]

    @property
    def orientation(self) -> float:
        """Position angle of the y axis, degrees (``ORIENTAT``)."""
        return float(np.rad2deg(np.arctan2(self.cd[0, 1], self.cd[1, 1])))


def place_chip(
    camera: Camera, index: int, pointing: Pointing, window: tuple[int, int, int, int]
) -> ChipPlace:
    """Place a chip on the sky.

    Parameters
    ----------
    camera : Camera
        The instrument.
    index : int
        Which chip.
    pointing : Pointing
        Where the reference point of the camera looks, and the roll of the telescope.
    window : tuple of int
        The part ``(y0, y1, x0, x1)`` of the chip that is read.

    Returns
    -------
    ChipPlace

    Notes
    -----
    The undistorted axes stand at the angle T(PA_V3) + theta at the aperture (`roll_at`); the reference pixel
    lies at the chip's position on these axes, and CD = J R L with L the chip's linear terms, R the axes'
    matrix and J the turn of north between the two tangent points.
    """
    design = camera.chips[index]
    angle = roll_at(pointing.roll, pointing.dec, *camera.aperture) + camera.theta
    axes = pointing.vafactor * axes_matrix(camera.parity, angle) / 3600
    xi, eta = axes @ np.array(design.position)
    ra, dec, turn = turn_between(float(xi), float(eta), pointing.ra, pointing.dec)
    v2, v3 = axes_matrix(camera.parity, camera.theta) @ np.array(design.position) + np.array(camera.aperture)
    y0, _, x0, _ = window
    return ChipPlace(
        crval=(ra, dec), crpix=(design.reference[0] - x0, design.reference[1] - y0),
        cd=turn @ axes @ design.matrix,
        ltv=(-float(x0), -float(y0)), v2v3=(float(v2), float(v3)),
    )  # fmt: skip


def _sip_cards(design: ChipDesign) -> list[Card]:
    """Return the cards of the SIP polynomials; none if there are no coefficients."""
    terms = sorted({*design.sip_a, *design.sip_b}, key=lambda t: (sum(t), t))
    if not terms:
        return []
    order = max(p + q for p, q in terms)
    cards: list[Card] = [
        ("A_ORDER", order, "SIP polynomial order, axis 1, detector to sky"),
        ("B_ORDER", order, "SIP polynomial order, axis 2, detector to sky"),
    ]
    for p, q in terms:
        cards.append((f"A_{p}_{q}", float(design.sip_a.get((p, q), 0.0)), "SIP distortion coefficient"))
        cards.append((f"B_{p}_{q}", float(design.sip_b.get((p, q), 0.0)), "SIP distortion coefficient"))
    return cards


def wcs_cards(design: ChipDesign, place: ChipPlace) -> list[Card]:
    """Return the cards of the primary WCS: linear part, then SIP."""
    tail = "-SIP" if design.sip_a or design.sip_b else ""
    cards: list[Card] = [
        ("WCSAXES", 2, "number of coordinate axes"),
        ("CRPIX1", place.crpix[0], "x-coordinate of reference pixel"),
        ("CRPIX2", place.crpix[1], "y-coordinate of reference pixel"),
        ("CRVAL1", place.crval[0], "[deg] first axis value at reference pixel"),
        ("CRVAL2", place.crval[1], "[deg] second axis value at reference pixel"),
        ("CTYPE1", f"RA---TAN{tail}", "the coordinate type for the first axis"),
        ("CTYPE2", f"DEC--TAN{tail}", "the coordinate type for the second axis"),
        ("CUNIT1", "deg", "units of first coordinate value"),
        ("CUNIT2", "deg", "units of second coordinate value"),
    ]
    cards += [
        (f"CD{i}_{k}", float(place.cd[i - 1, k - 1]), "[deg/pixel] partial derivative")
        for i in (1, 2)
        for k in (1, 2)
    ]
    return cards + _sip_cards(design)


def alternate_cards(
    design: ChipDesign, place: ChipPlace, key: str, name: str, error: tuple[float, float]
) -> list[Card]:
    """Return the cards of an alternate WCS that lies `error` (east, north, arcsec) from the primary one."""
    ra, dec, _ = turn_between(error[0] / 3600, error[1] / 3600, *place.crval)
    cards: list[Card] = [(f"WCSNAME{key}", name, "coordinate system title")]
    for keyword, value, comment in wcs_cards(design, place):
        if keyword.startswith(("A_", "B_")):
            continue
        moved = {"CRVAL1": ra, "CRVAL2": dec}.get(keyword, value)
        cards.append((f"{keyword}{key}", moved, comment))
    return cards


def _table(shape: tuple[int, int], size: float, phase: float) -> NDArray[np.float32]:
    """Return a smooth table over a chip with the largest value `size` (pixels)."""
    ny, nx = (-(-n // NODE) + 1 for n in shape)
    y, x = np.meshgrid(np.linspace(0, 1, ny), np.linspace(0, 1, nx), indexing="ij")
    wave = np.sin(2 * np.pi * (1.5 * x + phase)) * np.cos(2 * np.pi * (1.1 * y - 2 * phase)) + 0.5 * np.sin(
        9 * x * y + phase
    )
    return np.asarray(size * wave / np.abs(wave).max(), dtype=np.float32)


def lookup_tables(camera: Camera, places: list[ChipPlace]) -> tuple[list[list[Card]], list[Any]]:
    """Make the lookup tables of an exposure.

    Parameters
    ----------
    camera : Camera
        The instrument.
    places : list of ChipPlace
        One for each chip.

    Returns
    -------
    cards : list of list of tuple
        For each chip the cards that point to its tables.
    tables : list of astropy.io.fits.ImageHDU
        ``D2IMARR`` then ``WCSDVARR``, two for each chip that has them.
    """
    from astropy.io import fits

    cards: list[list[Card]] = [[] for _ in camera.chips]
    tables: list[Any] = []
    for kind, extname, distance, error, pointer in (
        ("d2im", "D2IMARR", "D2IMDIS", "D2IMERR", "D2IM"),
        ("npol", "WCSDVARR", "CPDIS", "CPERR", "DP"),
    ):
        version = 0
        for index, (design, place) in enumerate(zip(camera.chips, places, strict=True)):
            sizes: tuple[float, float] = getattr(design, kind)
            if not any(sizes):
                continue
            for axis, size in enumerate(sizes, start=1):
                version += 1
                table = fits.ImageHDU(
                    _table(design.shape, size, 0.17 * version + 0.4 * index), name=extname, ver=version
                )
                for k in (1, 2):
                    table.header[f"CRPIX{k}"] = (1.0, "reference node of the table")
                    table.header[f"CRVAL{k}"] = (1.0 + place.ltv[k - 1], "image coordinate of that node")
                    table.header[f"CDELT{k}"] = (float(NODE), "image pixels from node to node")
                table.header["CCDCHIP"] = (design.number, "chip that the table is for")
                tables.append(table)
                cards[index] += [
                    (
                        f"{error}{axis}",
                        float(np.abs(table.data).max()),
                        f"maximum correction along axis {axis}",
                    ),
                    (f"{distance}{axis}", "Lookup", "kind of distortion function"),
                    (f"{pointer}{axis}", f"EXTVER: {version}", f"version number of {extname} extension"),
                    (f"{pointer}{axis}", "NAXES: 2", "number of independent variables"),
                    (f"{pointer}{axis}", "AXIS.1: 1", "axis number of the first variable"),
                    (f"{pointer}{axis}", "AXIS.2: 2", "axis number of the second variable"),
                ]
    return cards, tables


def sky_to_chip(
    wcs: WCS, header: Header, ra: Floats, dec: Floats, shape: tuple[int, int], margin: Floats | float
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Find the sources near a chip and their pixel positions.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Full transform of the chip.
    header : astropy.io.fits.Header
        Its header (for messages).
    ra, dec : ndarray of float64, shape (n,)
        Degrees.
    shape : tuple of int
        Rows and columns of the image.
    margin : float or ndarray, shape (n,)
        How far beyond the edge a source may lie, pixels.

    Returns
    -------
    index : ndarray of intp, shape (m,)
        Which sources.
    x, y : ndarray of float64, shape (m,)
        0-based positions, good to 1e-6 pixel.
    """
    from astropy.wcs import NoConvergence

    empty = np.zeros(0)
    if not ra.size:
        return np.zeros(0, dtype=np.intp), empty, empty
    ny, nx = shape
    scale = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix)))
    xi, _ = to_tangent(ra, dec, *wcs.wcs.crval)
    facing = np.isfinite(xi) & (_separation(ra, dec, *wcs.wcs.crval) < 2 + scale * max(shape))
    index = np.flatnonzero(facing)
    rough = np.zeros((ra.size, 2))
    if index.size:
        rough[index] = wcs.wcs_world2pix(np.column_stack([ra[index], dec[index]]), 0)
    reach = np.broadcast_to(np.asarray(margin, dtype=np.float64), ra.shape)
    slack = reach + 0.05 * max(*wcs.wcs.crpix, nx, ny)
    x, y = rough.T
    near = facing & (x > -slack) & (x < nx + slack) & (y > -slack) & (y < ny + slack)
    index = np.flatnonzero(near)
    if not index.size:
        return index, empty, empty
    try:
        x, y = wcs.all_world2pix(ra[index], dec[index], 0, tolerance=1e-7, maxiter=100)
    except NoConvergence as error:
        msg = (
            f"The distortion of chip {header.get('EXTVER', 1)} cannot be inverted near its edges. "
            "Use milder SIP coefficients."
        )
        raise WCSError(msg) from error
    reach = reach[index]
    inside = (x > -0.5 - reach) & (x < nx - 0.5 + reach) & (y > -0.5 - reach) & (y < ny - 0.5 + reach)
    return index[inside], np.asarray(x[inside]), np.asarray(y[inside])


def _separation(ra: Floats, dec: Floats, ra0: float, dec0: float) -> Floats:
    """Angular distance in degrees."""
    a, d, d0 = np.deg2rad(ra - ra0), np.deg2rad(dec), np.deg2rad(dec0)
    cosine = np.sin(d) * np.sin(d0) + np.cos(d) * np.cos(d0) * np.cos(a)
    return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def pixel_matrices(wcs: WCS, x: Floats, y: Floats) -> Floats:
    """Local matrices from pixels to arcsec on the sky.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Full transform of the chip.
    x, y : ndarray of float64, shape (n,)
        0-based positions.

    Returns
    -------
    ndarray of float64, shape (n, 2, 2)
        Rows (east, north), columns (x, y), arcsec per pixel, from differences over two pixels.
    """
    ra0, dec0 = (float(v) for v in wcs.wcs.crval)

    def plane(shift_x: float, shift_y: float) -> Floats:
        ra, dec = wcs.all_pix2world(x + shift_x, y + shift_y, 0)
        return np.array(to_tangent(ra, dec, ra0, dec0))

    along_x, along_y = plane(1, 0) - plane(-1, 0), plane(0, 1) - plane(0, -1)
    steps = 1800 * np.stack([along_x, along_y], axis=-1).transpose(1, 0, 2)
    return np.asarray(_untangent(*plane(0, 0)) @ steps)


def _untangent(xi: Floats, eta: Floats) -> Floats:
    """Matrices, shape (n, 2, 2), from tangent-plane steps at (`xi`, `eta`) degrees to steps on the sphere.

    The gnomonic projection stretches by 1/cos² along the radius and 1/cos across it; directions stay those of
    the plane.
    """
    px, py = np.deg2rad(xi), np.deg2rad(eta)
    r2 = px**2 + py**2
    cosine = 1 / np.sqrt(1 + r2)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(r2 > 0, (cosine**2 - cosine) / r2, 0.0)
    matrix = np.empty((px.size, 2, 2))
    matrix[:, 0, 0] = cosine + factor * px * px
    matrix[:, 0, 1] = matrix[:, 1, 0] = factor * px * py
    matrix[:, 1, 1] = cosine + factor * py * py
    return matrix
