"""The output grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drizframe.errors import ParameterError

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["Frame"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """An output grid: a celestial WCS without distortion, and a shape.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Tangent-plane WCS; only its core is used.
    shape : tuple of int
        Rows and columns.
    scale : float
        Pixel scale in arcsec.
    orientation : float
        Position angle of the y axis in degrees, from north through east.
    name : str
        ``WCSNAME``.
    """

    wcs: WCS
    shape: tuple[int, int]
    scale: float
    orientation: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse grids that no image can have."""
        ny, nx = self.shape
        if ny < 1 or nx < 1:
            msg = f"The output frame has shape {self.shape}; both sides need at least one pixel."
            raise ParameterError(msg)
        if not self.scale > 0:
            msg = f"The output pixel scale is {self.scale!r} arcsec; it must be above 0."
            raise ParameterError(msg)
