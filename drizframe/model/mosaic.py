"""What a run gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from drizframe.model.frame import Frame

__all__ = ["Mosaic"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mosaic:
    """A drizzled image.

    Parameters
    ----------
    sci : ndarray of float32, shape (ny, nx)
        Science image in `unit`; NaN (or `final_maskval`) where nothing fell.
    wht : ndarray of float32, shape (ny, nx)
        Weight map.
    frame : Frame
        The output grid.
    unit : str
        Unit of `sci` as in ``BUNIT``.
    ctx : ndarray of int32, shape (planes, ny, nx), or None
        Context: bit ``(k - 1) % 32`` of plane ``(k - 1) // 32`` tells that chip number k contributed.
    var : ndarray of float32, shape (ny, nx), or None
        Variance of `sci`.
    headers : mapping of str to astropy.io.fits.Header
        Headers of the product by part: ``"primary"``, ``"sci"``, ``"wht"``, ``"ctx"``, ``"var"``.
    table : Any
        The table of input keywords (``HDRTAB``), or None.
    exptime : float
        Total exposure time in seconds.
    """

    sci: np.ndarray[Any, np.dtype[np.float32]]
    wht: np.ndarray[Any, np.dtype[np.float32]]
    frame: Frame
    unit: str = "electrons/s"
    ctx: np.ndarray[Any, np.dtype[np.int32]] | None = None
    var: np.ndarray[Any, np.dtype[np.float32]] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    table: Any = None
    exptime: float = 0.0
    path: Path | None = None

    def __post_init__(self) -> None:
        """Make the arrays read-only: a mosaic is a record."""
        for array in (self.sci, self.wht, self.ctx, self.var):
            if array is not None:
                array.flags.writeable = False
