"""What a run gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.model.layers import Layer, as_extension

if TYPE_CHECKING:
    from drizframe.model.frame import Frame
    from drizframe.model.provenance import Provenance

__all__ = ["Mosaic"]

Image = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mosaic:
    """A drizzled image.

    Parameters
    ----------
    layers : mapping of str to Layer
        Its images by name, in the order of the extensions of a file: ``"sci"`` and ``"wht"``, and those of ``"ctx"``,
        ``"var"`` and plugins' own that the run made.
    frame : Frame
        The output grid.
    unit : str
        Unit of `sci` as in ``BUNIT``.
    headers : mapping of str to astropy.io.fits.Header
        Headers of the product by part: ``"primary"`` and names of layers.
    table : Any
        The table of input keywords (``HDRTAB``), or None.
    exptime : float
        Total exposure time in seconds.
    path : pathlib.Path or None
        Its file, once it is written.
    provenance : Provenance or None
        What made it; None if nobody said.
    """

    layers: Mapping[str, Layer]
    frame: Frame
    unit: str = "electrons/s"
    headers: Mapping[str, Any] = field(default_factory=dict)
    table: Any = None
    exptime: float = 0.0
    path: Path | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        """Fix the layers: a mosaic is a record."""
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    @classmethod
    def of(
        cls, frame: Frame, *, unit: str = "electrons/s", images: Mapping[str, Image | None], **more: Any
    ) -> Mosaic:
        """Return a mosaic of images by the names of their layers.

        Parameters
        ----------
        frame : Frame
            The output grid.
        unit : str
            Unit of the science image.
        images : mapping of str to ndarray or None
            ``"sci"``, ``"wht"`` …; None: there is no such layer.
        **more
            Further fields.
        """
        layers = {}
        for name, image in images.items():
            if image is not None:
                extension = as_extension(name)
                layers[name] = Layer(image=image, extension=extension, unit=extension.unit_of(unit))
        return cls(layers=layers, frame=frame, unit=unit, **more)

    def described(self) -> str:
        """Return its size, scale and unit in words."""
        ny, nx = self.layers["sci"].shape
        return f"{nx} columns x {ny} rows, pixels of {self.frame.scale:.5g} arcsec, in {self.unit}"

    def __repr__(self) -> str:
        """Return two lines: what there is, without the numbers."""
        layers = ", ".join(f"{n} {layer.shape} {layer.dtype}" for n, layer in self.layers.items())
        return f"<Mosaic of {self.described()}, {self.exptime:g} s\n  layers: {layers}>"

    @property
    def sci(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Science image in `unit`, shape (ny, nx); NaN (or `final_fillval`) where nothing fell."""
        return self.layers["sci"].image

    @property
    def wht(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Weight map, shape (ny, nx)."""
        return self.layers["wht"].image

    @property
    def ctx(self) -> np.ndarray[Any, np.dtype[np.int32]] | None:
        """Context, shape (planes, ny, nx), or None: bit ``(k - 1) % 32`` of plane ``(k - 1) // 32`` tells that chip k contributed."""
        return self._optional("ctx")

    @property
    def var(self) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """Variance of `sci`, shape (ny, nx), or None."""
        return self._optional("var")

    def _optional(self, name: str) -> Image | None:
        return self.layers[name].image if name in self.layers else None
