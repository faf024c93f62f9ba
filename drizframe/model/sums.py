"""What goes into a drizzled image, its running sums (the one mutable record), and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from drizframe.model.pixelmap import PixelMap
    from drizframe.model.window import Window

__all__ = ["Accumulator", "ChipInput", "Drizzled"]

Image = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipInput:
    """One chip to drizzle: its images, and how its pixels lie on the frame.

    Images may have any byte order, strides and real or integer type; they are read only.

    Parameters
    ----------
    data : sequence of ndarray, shape (ny, nx)
        The science image, then further images that are averaged with the same weights.
    weight : ndarray, shape (ny, nx), or None
        Weight of every pixel; None: 1.
    number : int
        Number of the chip in the context image, from 1.
    pixmap : PixelMap
        From chip to frame.
    scale : float
        Size of an output pixel over that of an input pixel (linear).
    weight_scale : float
        Factor on all weights.
    offset : float
        Subtracted from the science image (the sky).
    factor : float
        Multiplies all images (gain over exposure time, for instance).
    variances : sequence of ndarray, shape (ny, nx)
        Images that are averaged with the squared weights.
    dq : ndarray of int, shape (ny, nx), or None
        Flags to combine.
    intensity : float or None
        Further factor on all images; None: ``scale**2``, which turns flux per input pixel into flux per
        output pixel.
    rows : tuple of int, or None
        First row of the chip that the images hold, and the one after the last; None: they hold all.  The map is always
        that of the whole chip.  Rows that are left out must not touch the window (`drizframe.pixels.bounds.rows_near`).
    """

    data: Sequence[Image]
    weight: Image | None
    number: int
    pixmap: PixelMap
    scale: float
    weight_scale: float = 1.0
    offset: float = 0.0
    factor: float = 1.0
    variances: Sequence[Image] = ()
    dq: Image | None = None
    intensity: float | None = None
    rows: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check what the loops rely on."""
        if not self.data:
            msg = "A chip to drizzle has no image. Give at least the science image in data."
            raise ShapeError(msg)
        if not (np.isfinite(self.scale) and self.scale > 0):
            msg = f"The pixel scale ratio of a chip is {self.scale!r}; it must be finite and above 0."
            raise ParameterError(msg)
        if self.number < 1:
            msg = f"The number of a chip is {self.number!r}; numbers count from 1."
            raise ParameterError(msg)
        named = [("data", a) for a in self.data] + [("variances", a) for a in self.variances]
        named += [(n, a) for n, a in (("weight", self.weight), ("dq", self.dq)) if a is not None]
        self._check_shapes(named)
        if self.dq is not None and np.asarray(self.dq).dtype.kind not in "iu":
            msg = f"dq of chip number {self.number} has type {np.asarray(self.dq).dtype}; flags are integers."
            raise ShapeError(msg)

    def _check_shapes(self, named: Sequence[tuple[str, Image]]) -> None:
        """Refuse images of other shapes than that of the map, or of the rows that they hold."""
        wanted, part = tuple(self.pixmap.shape), ""
        if self.rows is not None:
            first, stop = self.rows
            if not 0 <= first < stop <= wanted[0]:
                msg = f"rows of chip number {self.number} are {self.rows}; give first and stop within its {wanted[0]} rows."
                raise ShapeError(msg)
            wanted, part = (stop - first, wanted[1]), f" in rows {first} to {stop - 1}"
        for name, image in named:
            if np.shape(image) != wanted:
                msg = (
                    f"{name} of chip number {self.number} has shape {np.shape(image)} but its pixel map has "
                    f"{wanted}{part}. Give both on the same pixels."
                )
                raise ShapeError(msg)

    @property
    def multiplier(self) -> float:
        """The whole factor on all images."""
        return self.factor * (self.scale * self.scale if self.intensity is None else self.intensity)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drizzled:
    """A drizzled window.

    Parameters
    ----------
    sci : ndarray of float32 or float64, shape (h, w)
        Weighted mean, or fill.
    wht : ndarray of the same type, shape (h, w)
        Sum of weights.
    ctx : ndarray of int32, shape (planes, h, w), or None
        Context bits.
    layers : tuple of ndarray
        Weighted means of further images; NaN where nothing has weight.
    variances : tuple of ndarray
        Variances of the weighted mean; NaN where nothing has weight.
    dq : ndarray of uint32, shape (h, w), or None
        Combined flags.
    """

    sci: Image
    wht: Image
    ctx: np.ndarray[Any, np.dtype[np.int32]] | None = None
    layers: tuple[Image, ...] = ()
    variances: tuple[Image, ...] = ()
    dq: np.ndarray[Any, np.dtype[np.uint32]] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Accumulator:
    """Sums over all chips that fall on one window of a frame; owned by the task that made it.

    Parameters
    ----------
    window : Window
        The part of the frame.
    layers : int
        Number of images that are averaged with the weights (the first is the science image).
    variances : int
        Number of images that are averaged with the squared weights.
    planes : int
        Number of context planes; 0: no context.
    dq : bool
        Whether data-quality flags are combined (bitwise OR).
    """

    window: Window
    layers: int = 1
    variances: int = 0
    planes: int = 0
    dq: bool = False

    #: Σ w, shape (h, w).
    weight: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Σ w d, shape (layers, h, w).
    total: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Σ w² v, shape (variances, h, w).
    squared: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Last finite science value that came with weight 0; NaN where there was none. Shape (h, w).
    last: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Context bits, shape (planes, h, w).
    context: np.ndarray[Any, np.dtype[np.int32]] = field(init=False)
    #: Combined flags, shape (h, w) or (0, 0).
    flags: np.ndarray[Any, np.dtype[np.uint32]] = field(init=False)

    def __post_init__(self) -> None:
        """Allocate the sums."""
        h, w = self.window.shape
        self.weight = np.zeros((h, w))
        self.total = np.zeros((self.layers, h, w))
        self.squared = np.zeros((self.variances, h, w))
        self.last = np.full((h, w), np.nan)
        self.context = np.zeros((self.planes, h, w), dtype=np.int32)
        self.flags = np.zeros((h, w) if self.dq else (0, 0), dtype=np.uint32)
