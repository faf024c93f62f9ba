"""The records that flow through a run; all frozen but `Accumulator`."""

from drizframe.model.exposure import ArraySource, Chip, Exposure, PixelSource, SkyValue, check_celestial
from drizframe.model.frame import Frame
from drizframe.model.layers import LAYERS, Extension, Layer
from drizframe.model.mosaic import Mosaic
from drizframe.model.overlap import Overlap
from drizframe.model.pixel_scale import PixelScale, axes_of, chip_scale
from drizframe.model.pixelmap import PixelMap
from drizframe.model.planes import INPUTS, Plane, PlaneKey, Window
from drizframe.model.positions import image_and_positions
from drizframe.model.provenance import ComponentUse, PluginUse, Provenance, StepUse
from drizframe.model.sums import Accumulator, ChipInput, Drizzled
from drizframe.model.units import RUN, ChipUnit, ExposureUnit, FrameUnit, RunUnit, Unit, holds

__all__ = [
    "INPUTS",
    "LAYERS",
    "RUN",
    "Accumulator",
    "ArraySource",
    "Chip",
    "ChipInput",
    "ChipUnit",
    "ComponentUse",
    "Drizzled",
    "Exposure",
    "ExposureUnit",
    "Extension",
    "Frame",
    "FrameUnit",
    "Layer",
    "Mosaic",
    "Overlap",
    "PixelMap",
    "PixelScale",
    "PixelSource",
    "Plane",
    "PlaneKey",
    "PluginUse",
    "Provenance",
    "RunUnit",
    "SkyValue",
    "StepUse",
    "Unit",
    "Window",
    "axes_of",
    "check_celestial",
    "chip_scale",
    "holds",
    "image_and_positions",
]
