"""What a writer is told about a run when it makes headers and intermediate files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.model.lazy_image import LazyImage, lazy

if TYPE_CHECKING:
    import numpy as np

    from drizframe.config import Parameters
    from drizframe.config.outputs import OutputNames
    from drizframe.model import ChipUnit, Exposure, Extension, Frame, Provenance, SkyValue, Unit, Window

__all__ = ["INTERMEDIATE", "RunProducts"]

#: Planes that can be written as intermediate products.
INTERMEDIATE: tuple[str, ...] = (
    "mask.static", "mask.sky", "single.mask", "single.sci", "single.wht", "median", "blot", "mask.cr", "crclean",
    "final.mask",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunProducts:
    """A finished run as a writer sees it.

    Parameters
    ----------
    exposures : tuple of Exposure
        What was combined.
    parameters : Parameters
        As they were used.
    frames : mapping of str to Frame
        ``"separate"`` and ``"final"``.
    names : OutputNames
        Root and tag of the products.
    unit : str
        ``BUNIT`` of the mosaic.
    sky : mapping of ChipUnit to SkyValue
        Sky of the chips.
    weight_scale : mapping of ChipUnit to float
        Factor of each chip's weight map in the final step.
    read : callable
        ``read(name, unit) -> ndarray or None``: a plane of the run.
    origin : callable
        ``origin(name, unit) -> Window or None``: the part of the separate frame that an exposure's plane
        covers.
    planes : frozenset of str
        Intermediate planes to write.
    folder : pathlib.Path
        Where intermediate files go.
    beside_inputs : bool
        Whether files of an exposure go into the folder of its input instead.
    run : str
        What tells this run from others; products carry it as ``DRIZRUN``.
    layers : mapping of str to Extension
        Layers of the mosaic, in the order of the extensions of a file; empty if the run makes none.
    provenance : Provenance or None
        What made the products; None before the work is done.
    opened : callable or None
        ``opened(name, unit) -> LazyImage or None``: what `image` returns; None: that goes by `read`.
    """

    exposures: tuple[Exposure, ...]
    parameters: Parameters
    frames: Mapping[str, Frame]
    names: OutputNames
    unit: str
    sky: Mapping[ChipUnit, SkyValue]
    weight_scale: Mapping[ChipUnit, float]
    read: Callable[[str, Unit], np.ndarray[Any, Any] | None]
    origin: Callable[[str, Unit], Window | None]
    planes: frozenset[str] = frozenset()
    folder: Path = field(default_factory=Path)
    beside_inputs: bool = False
    run: str = ""
    layers: Mapping[str, Extension] = field(default_factory=dict)
    provenance: Provenance | None = None
    opened: Callable[[str, Unit], LazyImage | None] | None = None

    def image(self, name: str, unit: Unit) -> LazyImage | None:
        """Return a plane of the run as an image that is read in windows, which need not be whole in memory; None for none.

        Parameters
        ----------
        name : str
            Name of the plane.
        unit : Unit
            What it is of.
        """
        if self.opened is not None:
            return self.opened(name, unit)
        image = self.read(name, unit)
        return None if image is None else lazy(image)

    def folder_of(self, exposure: Exposure) -> Path:
        """Return the folder for files of an exposure."""
        if self.beside_inputs and exposure.path is not None and not exposure.extra.get("split"):
            return exposure.path.parent
        return self.folder
