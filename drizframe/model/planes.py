"""Names of planes, and the units of the run they belong to.

A *plane* is a named image (or a small value) of a chip, an exposure or a frame.  Steps say which planes they
consume and produce; the engine derives the order of the steps and the traffic with the store from these names
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PLANES", "RUN", "PlaneKey", "Scope", "Unit", "Window"]

Scope = Literal["run", "exposure", "chip", "tile"]

#: The planes of the stock steps: name -> meaning.  A plugin may add names of its own.
PLANES: dict[str, str] = {
    "sci": "chip: science image in native units, float32",
    "err": "chip: error image in native units, float32",
    "dq": "chip: data-quality flags after `resetbits`, integer",
    "mask.static": "chip: static mask, uint8, 1 = good",
    "mask.user": "chip: user mask, uint8, 1 = good",
    "mask.sky": "chip: pixels used for the sky, uint8, 1 = used",
    "mask.cr": "chip: cosmic-ray mask, uint8, 1 = good",
    "mask.cr.given": "chip: cosmic-ray mask that was given to the run, uint8, 1 = good",
    "sky": "chip: `SkyValue` in native units",
    "noise.level": "chip: noise of the background in native units, for images in flux or surface brightness, float",
    "single.sci": "exposure: singly drizzled image on its footprint, electrons per second, float32",
    "single.wht": "exposure: weight of the same, float32",
    "single.threshold": "exposure: weight below which a pixel is left out of the median, float",
    "depth": "run: number of exposures with weight on each pixel of the separate frame, int32",
    "median": "run: clean image on the separate frame, electrons per second, float32",
    "blot": "chip: the median resampled onto the chip, native units with sky, float32",
    "crclean": "chip: the chip with cosmic-ray pixels replaced by the blot, native units, float32",
    "crclean.dq": "chip: flags that go with it, uint16",
    "mosaic.sci": "run: final image, float32",
    "mosaic.wht": "run: final weight map, float32",
    "mosaic.ctx": "run: final context planes, int32, shape (planes, ny, nx)",
    "mosaic.var": "run: variance of the final image, float32",
    "single.mask": "chip: weight array of the separate step, float32",
    "final.mask": "chip: weight array of the final step, float32",
    "final.scale": "chip: factor of that weight array, float",
    "ivm": "chip: the user's inverse-variance map",
    "flat": "chip: flat field",
    "final.var": "chip: square of the error image, squared native units, float32",
}


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One exposure or chip of a run, by position in the input list; the whole run if both are None.

    Parameters
    ----------
    exposure : int or None
        Index of the exposure, from 0 in input order.
    chip : int or None
        Index of the chip within its exposure, from 0.
    """

    exposure: int | None = None
    chip: int | None = None

    @property
    def scope(self) -> Scope:
        """Kind of unit: ``"run"``, ``"exposure"`` or ``"chip"``."""
        if self.exposure is None:
            return "run"
        return "exposure" if self.chip is None else "chip"


#: The whole run.
RUN = Unit()


@dataclass(frozen=True, slots=True, order=True)
class PlaneKey:
    """The address of a plane in the store: its name and the unit it belongs to."""

    name: str
    unit: Unit = RUN


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open rectangle of pixels, ``[y0:y1, x0:x1]``.

    Parameters
    ----------
    y0, y1, x0, x1 : int
        Rows ``y0 … y1 - 1`` and columns ``x0 … x1 - 1``, counted from 0.
    """

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return (self.y1 - self.y0, self.x1 - self.x0)

    @property
    def empty(self) -> bool:
        """Whether the window holds no pixel."""
        return self.y1 <= self.y0 or self.x1 <= self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices that cut the window from an array that starts at pixel (0, 0)."""
        return (slice(self.y0, self.y1), slice(self.x0, self.x1))

    def grown(self, border: int, within: tuple[int, int] | None = None) -> Window:
        """Return the window with a border added on every side, clipped to an image of shape `within`."""
        y0, y1, x0, x1 = self.y0 - border, self.y1 + border, self.x0 - border, self.x1 + border
        if within is not None:
            y0, x0 = max(y0, 0), max(x0, 0)
            y1, x1 = min(y1, within[0]), min(x1, within[1])
        return Window(y0, y1, x0, x1)

    def intersection(self, other: Window) -> Window:
        """Return the part that both windows share; its `empty` is true if there is none."""
        y0, x0 = max(self.y0, other.y0), max(self.x0, other.x0)
        return Window(y0, max(y0, min(self.y1, other.y1)), x0, max(x0, min(self.x1, other.x1)))

    def relative_to(self, other: Window) -> Window:
        """Return this window in the pixel coordinates of an array that covers `other`."""
        return Window(self.y0 - other.y0, self.y1 - other.y0, self.x0 - other.x0, self.x1 - other.x0)
