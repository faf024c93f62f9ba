"""Layers: the images of a mosaic, and what files say of each; this is the one place that knows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import RecordError
from drizframe.model.lazy_image import LazyImage, lazy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drizframe.model.window import Window

__all__ = ["LAYERS", "Extension", "Layer", "as_extension"]

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a layer of a mosaic is called in files, and what it is.

    Parameters
    ----------
    name : str
        ``EXTNAME``, upper case; the layer has this name in lower case.
    meaning : str
        What it holds, in a few words.
    unit : str
        Its unit, where ``{unit}`` stands for that of the science image; blank: none.
    seconds : int
        Power of the exposure time by which it is multiplied when ``final_units`` is "counts"; integers never are.
    fill : float
        What stands where nothing fell.
    made : callable or None
        ``made(parameters) -> bool``: whether a run with these parameters makes it; None: always.
    """

    name: str
    meaning: str
    unit: str = ""
    seconds: int = 0
    fill: float = 0.0
    made: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        """Refuse a name that is none for an extension."""
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            msg = f"Extension has the name {self.name!r}; use capital letters, digits and _, such as 'SCI'."
            raise RecordError(msg)

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.name.lower()

    def unit_of(self, unit: str) -> str:
        """Return its unit, if the science image is in `unit`."""
        return self.unit.replace("{unit}", unit)

    def wanted(self, parameters: Any) -> bool:
        """Tell whether a run with these parameters makes it."""
        return self.made is None or bool(self.made(parameters))


def as_extension(name: str, meaning: str = "") -> Extension:
    """Return what is known of a layer by its name; one that is not known has no unit.

    Parameters
    ----------
    name : str
        ``EXTNAME`` or name of the layer.
    meaning : str
        For a layer that is not known.
    """
    return LAYERS.get(name.lower()) or Extension(name=name.upper(), meaning=meaning or name.lower())


class Layer:
    """An image of a mosaic; its pixels are read when they are asked for, if they are not in memory.

    Parameters
    ----------
    image : ndarray or LazyImage, shape (ny, nx) or (planes, ny, nx)
        The pixels; an array is read-only from now on.
    extension : Extension
        What it is called, and what it is.
    unit : str
        Its unit as in ``BUNIT``; blank: none.
    """

    __slots__ = ("_held", "_source", "extension", "unit")

    extension: Extension
    unit: str
    _held: np.ndarray[Any, Any] | None
    _source: LazyImage

    def __init__(
        self, *, image: np.ndarray[Any, Any] | LazyImage, extension: Extension, unit: str = ""
    ) -> None:
        held = image if isinstance(image, np.ndarray) else None
        if held is not None:
            held.flags.writeable = False  # a mosaic is a record
        for name, value in (
            ("_held", held),
            ("_source", lazy(image)),
            ("extension", extension),
            ("unit", unit),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse changes: it is a record."""
        msg = f"cannot assign to field {name!r}"
        raise FrozenInstanceError(msg)

    def __delattr__(self, name: str) -> None:
        """Refuse changes: it is a record."""
        msg = f"cannot delete field {name!r}"
        raise FrozenInstanceError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and store it with its pixels."""
        return _layer, (self.image, self.extension, self.unit)

    def __copy__(self) -> Layer:
        """Return a layer of the same pixels, which are not read for that."""
        return Layer(
            image=self._source if self._held is None else self._held, extension=self.extension, unit=self.unit
        )

    def __repr__(self) -> str:
        """Return what it is, without the numbers."""
        return f"<Layer {self.extension.name} {self.shape} {self.dtype}{f', in {self.unit}' if self.unit else ''}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """Its axes, ``(ny, nx)`` or ``(planes, ny, nx)``."""
        return self._source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its pixels."""
        return self._source.dtype

    @property
    def image(self) -> np.ndarray[Any, Any]:
        """All pixels, read-only; they stay in memory from then on."""
        if self._held is not None:
            return self._held
        image = self._source.read()
        image.flags.writeable = False
        object.__setattr__(self, "_held", image)
        object.__setattr__(self, "_source", lazy(image))
        return image

    def read(self, window: Window | None = None) -> np.ndarray[Any, Any]:
        """Return the pixels of a window, read-only, without reading the others.

        Parameters
        ----------
        window : Window, optional
            Where on the frame; None: everywhere.
        """
        if window is None:
            return self.image
        part = self._source.read(window)
        part.flags.writeable = False
        return part


def _layer(image: np.ndarray[Any, Any], extension: Extension, unit: str) -> Layer:
    return Layer(image=image, extension=extension, unit=unit)


def _with_context(parameters: Any) -> bool:
    return bool(parameters.context)


def _with_variance(parameters: Any) -> bool:
    return "variance" in parameters.layers


def _known(*extensions: Extension) -> Mapping[str, Extension]:
    return MappingProxyType({e.layer: e for e in extensions})


#: Layers that the stock step makes, in the order of the extensions of a file.
LAYERS: Mapping[str, Extension] = _known(
    Extension(name="SCI", meaning="science product", unit="{unit}", seconds=1, fill=math.nan),
    Extension(name="WHT", meaning="weight"),
    Extension(name="CTX", meaning="context", made=_with_context),
    Extension(
        name="VAR", meaning="variance", unit="({unit})**2", seconds=2, fill=math.nan, made=_with_variance
    ),
)
