"""A mosaic that is to be written, and the sink that takes its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from drizframe.errors import OutputError, RecordError

if TYPE_CHECKING:
    from drizframe.model import Frame, Window

__all__ = ["GatheringSink", "Product", "ProductLayer", "Sink"]

Image = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLayer:
    """What is known of a layer before its pixels come.

    Parameters
    ----------
    extension : str
        ``EXTNAME``, such as "SCI".
    shape : tuple of int
        ``(ny, nx)``, or ``(planes, ny, nx)``.
    dtype : numpy.dtype
        Type of its pixels.
    unit : str
        As in ``BUNIT``; blank: none.
    fill : float
        What stands where nothing fell, and where no window came.
    meaning : str
        What it holds, in a few words.
    """

    extension: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    unit: str = ""
    fill: float = 0.0
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """A mosaic that is to be written.

    Parameters
    ----------
    path : pathlib.Path
        Folder, root and tag of the names, such as ``final_drz``.
    targets : tuple of pathlib.Path
        The files (or folders) that the writer's `endings` make of it for the layers below.
    layers : mapping of str to ProductLayer
        The images of the mosaic, in the order of the extensions of a file.
    frame : Frame
        The output grid.
    unit : str
        Unit of the science image as in ``BUNIT``.
    exptime : float
        Total exposure time in seconds; 0: unknown.
    headers : mapping of str to astropy.io.fits.Header
        Headers by part: ``"primary"`` and names of layers; empty if nothing is known but the frame.
    table : Any
        Table of input keywords, or None.
    run : str
        What tells this run from others.  A writer that notes it in its files, and has a `run_of` that finds it there,
        lets a later run of the same inputs and output replace them.
    stage : callable
        ``stage(target) -> path``: where to write one of the `targets`; there is an empty file (or folder) of its name in
        a temporary folder.  drizframe moves it to `target` when everything of the run is written, and removes it if
        anything fails; what else is in that folder goes.  What is still empty after `Sink.close` is an error.
    """

    path: Path
    targets: tuple[Path, ...]
    layers: Mapping[str, ProductLayer]
    frame: Frame
    unit: str
    exptime: float = 0.0
    headers: Mapping[str, Any] = field(default_factory=dict)
    table: Any = None
    run: str = ""
    stage: Callable[[Path], Path]

    def layer(self, name: str) -> ProductLayer:
        """Return what is known of a layer.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        OutputError
            If there is none of that name.
        """
        if name not in self.layers:
            msg = f"{self.path.name} has no layer {name!r}. Its layers: {', '.join(self.layers)}."
            raise OutputError(msg)
        return self.layers[name]


@runtime_checkable
class Sink(Protocol):
    """Takes the pixels of a product, window by window, and makes files of them."""

    def write(self, plane: str, window: Window, array: Image) -> None:  # pragma: no cover
        """Take a part of a layer.

        Parameters
        ----------
        plane : str
            Name of the layer.
        window : Window
            Where it lies on the frame.  Windows do not overlap, and come in any order.
        array : ndarray, shape (ny, nx) or (planes, ny, nx) of the window
            Read-only; valid after the call only if it is the whole layer.
        """
        ...

    def close(self) -> Sequence[Path]:  # pragma: no cover
        """Finish all that was staged; return its targets."""
        ...

    def abort(self) -> None:  # pragma: no cover
        """Let go of what is open: there will be no more.  What was staged is drizframe's to remove."""
        ...


class GatheringSink:
    """A sink that keeps the layers in memory, for formats that are written at once; `close` is the writer's.

    Parameters
    ----------
    product : Product
        What is to be written.

    Attributes
    ----------
    images : dict of str to ndarray
        The layers, as far as they have come.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.images: dict[str, Image] = {}

    def write(self, plane: str, window: Window, array: Image) -> None:
        """Keep a part of a layer; a whole one is not copied."""
        layer = self.product.layer(plane)
        if plane not in self.images:
            if window.shape == layer.shape[-2:]:
                self.images[plane] = array
                return
            self.images[plane] = np.full(layer.shape, layer.fill, layer.dtype)
        self.images[plane][(..., *window.slices)] = array

    def close(self) -> Sequence[Path]:
        """Write the files; return them: what a writer's own class does."""
        msg = f"{type(self).__name__} has no close(). Write the images in it, each under product.stage(target), and return the targets."
        raise RecordError(msg)

    def abort(self) -> None:
        """Forget the layers."""
        self.images.clear()
