"""The records that flow through a run; all frozen but `Accumulator`."""

from drizframe.model.exposure import ArraySource, Chip, Exposure, PixelSource, SkyValue, check_celestial
from drizframe.model.frame import Frame
from drizframe.model.mosaic import Mosaic
from drizframe.model.overlap import Overlap
from drizframe.model.pixel_scale import PixelScale, axes_of, chip_scale
from drizframe.model.pixelmap import PixelMap
from drizframe.model.planes import PLANES, RUN, PlaneKey, Scope, Unit, Window
from drizframe.model.sums import Accumulator, ChipInput, Drizzled

__all__ = [
    "PLANES",
    "RUN",
    "Accumulator",
    "ArraySource",
    "Chip",
    "ChipInput",
    "Drizzled",
    "Exposure",
    "Frame",
    "Mosaic",
    "Overlap",
    "PixelMap",
    "PixelScale",
    "PixelSource",
    "PlaneKey",
    "Scope",
    "SkyValue",
    "Unit",
    "Window",
    "axes_of",
    "check_celestial",
    "chip_scale",
]
