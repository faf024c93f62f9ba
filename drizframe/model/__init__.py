"""The records that flow through a run; all frozen but `Accumulator`."""

from drizframe.model.exposure import ArraySource, Chip, Exposure, PixelSource, SkyValue, check_celestial
from drizframe.model.frame import Frame
from drizframe.model.layers import LAYERS, Extension, Layer
from drizframe.model.lazy_image import BLOCK, DerivedImage, HeldImage, LazyImage, blocks, lazy
from drizframe.model.lazy_mapping import LazyMapping, MadeOnce
from drizframe.model.mosaic import Mosaic
from drizframe.model.overlap import Overlap
from drizframe.model.pixel_scale import PixelScale, axes_of, chip_scale
from drizframe.model.pixelmap import PixelMap
from drizframe.model.planes import INPUTS, Plane, PlaneKey
from drizframe.model.positions import image_and_positions
from drizframe.model.provenance import ComponentUse, PluginUse, Provenance, StepUse
from drizframe.model.sums import Accumulator, ChipInput, Drizzled
from drizframe.model.units import RUN, ChipUnit, ExposureUnit, FrameUnit, RunUnit, Unit, holds
from drizframe.model.window import Window

__all__ = [
    "BLOCK",
    "INPUTS",
    "LAYERS",
    "RUN",
    "Accumulator",
    "ArraySource",
    "Chip",
    "ChipInput",
    "ChipUnit",
    "ComponentUse",
    "DerivedImage",
    "Drizzled",
    "Exposure",
    "ExposureUnit",
    "Extension",
    "Frame",
    "FrameUnit",
    "HeldImage",
    "Layer",
    "LazyImage",
    "LazyMapping",
    "MadeOnce",
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
    "blocks",
    "check_celestial",
    "chip_scale",
    "holds",
    "image_and_positions",
    "lazy",
]
