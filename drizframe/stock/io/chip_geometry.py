"""Whether the WCS of a chip can be that of an image: its scale, its shape on the sky, the size of its distortion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import WCSError, told

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["SCALES", "check_geometry"]

#: Smallest and largest side of a pixel, in arcsec.
SCALES = (1e-5, 3600.0)
#: Largest ratio of the sides of a pixel, or of its diagonals.
_STRETCH = 100.0
#: Largest factor between the scale anywhere on the chip and that of the linear WCS.
_FACTOR = 100.0
#: Positions on each axis at which a WCS is looked at, both edges included.
_NODES = 9

Array = np.ndarray[Any, np.dtype[np.float64]]


def check_geometry(wcs: WCS, shape: tuple[int, int], where: str) -> None:
    """Refuse a WCS that no image has.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        With all distortion.
    shape : tuple of int
        Rows and columns of the image.
    where : str
        The file and extension, for messages.

    Raises
    ------
    WCSError
        If pixels are smaller than 1e-5 arcsec, larger than a degree or 100 times as long as wide, if the distortion moves
        a pixel by more than the size of the image or folds it, or if no position lies on the sky.
    """
    matrix = _matrix(wcs, where)
    _check_distortion(wcs, shape, where)
    _check_sky(wcs, shape, matrix, where)


def _matrix(wcs: WCS, where: str) -> Array:
    """Return the linear transformation in degrees."""
    try:
        matrix = np.asarray(
            wcs.pixel_scale_matrix, dtype=np.float64
        )  # raises where it is singular or missing
        sides = np.hypot(*matrix) * 3600.0
        stretch = np.linalg.cond(matrix)
    except Exception as error:
        text = told(error)
        msg = (
            f"{where}: the WCS gives no position on the sky ({text}). Correct CRVAL, CRPIX and the CD matrix."
        )
        raise WCSError(msg) from error
    if not (np.isfinite(sides).all() and SCALES[0] <= sides.min() and sides.max() <= SCALES[1]):
        msg = (
            f"{where}: the WCS cannot be used: pixels of {sides[0]:.4g} x {sides[1]:.4g} arcsec; sides from {SCALES[0]:g} to "
            f"{SCALES[1]:g} arcsec are plausible. Correct the CD or PC matrix and CDELT."
        )
        raise WCSError(msg)
    if not stretch <= _STRETCH:
        msg = (
            f"{where}: the WCS cannot be used: its CD matrix is singular or skewed, {matrix.tolist()} degrees: pixels are more "
            f"than {_STRETCH:g} times as long as wide. Correct the CD or PC matrix and CDELT."
        )
        raise WCSError(msg)
    return matrix


def _nodes(shape: tuple[int, int]) -> Array:
    """Return positions over the whole image, counted from 1; shape (nodes, nodes, 2)."""
    y, x = (np.linspace(0.5, n + 0.5, _NODES) for n in shape)
    return np.stack(np.meshgrid(x, y), axis=-1)


def _check_distortion(wcs: WCS, shape: tuple[int, int], where: str) -> None:
    """Refuse a distortion beyond the size of the image, or one that folds it."""
    nodes = _nodes(shape)
    with np.errstate(all="ignore"):
        moved = wcs.pix2foc(wcs.det2im(nodes.reshape(-1, 2), 1), 1).reshape(nodes.shape)
        largest = np.hypot(*np.moveaxis(moved - nodes, -1, 0)).max()
    if not largest <= max(shape):
        msg = (
            f"{where}: the distortion (SIP or look-up tables) moves pixels by up to {largest:.4g} pixels, but the image has "
            f"{shape[1]} x {shape[0]}. Correct the coefficients (A_i_j, B_i_j), or set coeffs=False."
        )
        raise WCSError(msg)
    along, up = np.diff(moved, axis=1)[:-1], np.diff(moved, axis=0)[:, :-1]
    if not (along[..., 0] * up[..., 1] - along[..., 1] * up[..., 0] > 0).all():
        msg = (
            f"{where}: the distortion (SIP or look-up tables) folds the image over itself. Correct the coefficients "
            "(A_i_j, B_i_j), or set coeffs=False."
        )
        raise WCSError(msg)


def _check_sky(wcs: WCS, shape: tuple[int, int], matrix: Array, where: str) -> None:
    """Refuse a WCS whose scale on the sky is far from that of its matrix."""
    nodes = _nodes(shape)
    try:
        sky = np.radians(wcs.all_pix2world(nodes.reshape(-1, 2), 1)).reshape(nodes.shape)
    except Exception as error:
        text = told(error)
        msg = (
            f"{where}: the WCS gives no position on the sky ({text}). Correct CRVAL, CRPIX and the CD matrix."
        )
        raise WCSError(msg) from error
    if wcs.wcs.lng == 1:
        sky = sky[..., ::-1]
    lon, lat = sky[..., 0], sky[..., 1]
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    if not np.isfinite(points).all(axis=-1).any():
        msg = f"{where}: no pixel has a position on the sky. Correct CRVAL, CRPIX and the CD matrix."
        raise WCSError(msg)
    for axis, step, side in ((1, shape[1], 0), (0, shape[0], 1)):
        chord = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
        expected = np.radians(np.hypot(*matrix[:, side])) * step / (_NODES - 1)
        ratio = (2 * np.arcsin(np.clip(chord / 2, 0, 1)) / expected)[np.isfinite(chord)]
        if (
            ratio.size and not 1 / _FACTOR <= ratio.max() <= _FACTOR
        ):  # next to a pole of the projection it may be 0
            msg = (
                f"{where}: pixels are up to {ratio.max():.3g} times as large on the sky as the matrix of the WCS says."
                " Correct CRPIX, the CD matrix, and the parameters of the projection (PVi_m)."
            )
            raise WCSError(msg)
